"""The leaders' back office: piccolo-admin over the records of one network, behind our sign-in and our access rules."""
