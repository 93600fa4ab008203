"""What does sealing cost? A one-hour recording, sealed and read back, beside plain files."""
