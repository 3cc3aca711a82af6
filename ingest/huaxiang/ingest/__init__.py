"""From bytes to a decoded recording: receive, decode, devices, watch folders."""
