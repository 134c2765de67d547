"""The gateway as a service of its machine: its service manager, the certificate, files that others renew."""
