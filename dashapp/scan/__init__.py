"""The watch at work: reads settled minutes, searches them, keeps what is found and has it told."""
