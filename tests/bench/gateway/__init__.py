"""The gateway's own cost beside other gateways and the bare libraries."""
