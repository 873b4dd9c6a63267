"""The control door: what operators ask for, answered by the server that runs over a data folder, or without one."""
