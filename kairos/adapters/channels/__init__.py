"""Ways to reach a user: one provider a file, all behind `channel.Channel`."""
