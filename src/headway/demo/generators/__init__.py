"""Who writes the copy: an interface (`base`), a writer of our own (`offline`), and a service (`openai`)."""
