"""What is measured: one file a subject, each giving rows of the table."""
