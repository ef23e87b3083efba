"""The protocol for viewers, and its adapters: Socket.IO, Server-Sent Events, HTTP."""
