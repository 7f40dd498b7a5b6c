"""What a user can say: one function a command, without logic of its own."""
