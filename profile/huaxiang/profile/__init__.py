"""From findings, CRM fields and events to a customer with provenance."""
