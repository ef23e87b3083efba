"""Servers under load: Headway's and its peers', all driven in the same way."""
