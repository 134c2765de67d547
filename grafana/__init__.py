"""Dashboards as code. Not part of the gateway's package."""

import warnings

# The SDK recommends the v2 schema when its classic one is imported; classic JSON is what file provisioning reads in
# every Grafana from 11 on.
warnings.filterwarnings("ignore", message="Prefer using dashboardv2", category=DeprecationWarning)
