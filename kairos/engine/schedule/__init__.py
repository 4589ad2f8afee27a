"""What a calendar starts: local times here, schedules lowered to events beside them."""
