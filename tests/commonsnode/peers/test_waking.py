"""A machine that slept, or moved to another network, looks after its links at once."""

from commonsnode.peers.waking import LOOK_S, Waking


class Machine:
    """Two clocks and a cable."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000.0
        self.steady = 50.0
        self.addresses = ["10.0.0.7"]
        self.waking = Waking(lambda: self.addresses, wall_s=lambda: self.wall, steady_s=lambda: self.steady)

    def after(self, wall: float, steady: float) -> str:
        self.wall += wall
        self.steady += steady
        return self.waking.look()


def test_nothing_is_said_while_nothing_happens() -> None:
    machine = Machine()
    assert {machine.after(LOOK_S, LOOK_S) for _ in range(100)} == {""}


def test_a_sleep_is_seen_whether_the_steady_clock_goes_on_in_it_or_not() -> None:
    for steady in (LOOK_S, 3_600.0):
        machine = Machine()
        machine.after(LOOK_S, LOOK_S)
        assert machine.after(3_600.0, steady) == "slept"
        assert machine.after(LOOK_S, LOOK_S) == ""


def test_a_busy_machine_and_a_clock_that_is_put_back_are_no_sleep() -> None:
    machine = Machine()
    machine.after(LOOK_S, LOOK_S)
    assert machine.after(LOOK_S + 10, LOOK_S + 10) == ""
    assert machine.after(-86_400.0, LOOK_S) == ""


def test_other_addresses_are_said_once_and_those_at_the_start_are_none() -> None:
    machine = Machine()
    assert machine.after(LOOK_S, LOOK_S) == ""
    machine.addresses = ["192.168.1.3", "10.0.0.7"]
    assert machine.after(LOOK_S, LOOK_S) == "addresses"
    machine.addresses = ["10.0.0.7", "192.168.1.3"]  # in another order they are the same
    assert machine.after(LOOK_S, LOOK_S) == ""
