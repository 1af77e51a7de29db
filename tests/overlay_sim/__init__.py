"""Many nodes of one community in one process: the machines of the overlay over a virtual network with a virtual clock."""
