"""Other people's encoders: their files, their modules, and their place among ours."""
