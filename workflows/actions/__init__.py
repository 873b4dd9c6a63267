"""The actions of automations, one file each."""
