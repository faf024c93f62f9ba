"""What people look at: progress, log files, previews, tables."""
