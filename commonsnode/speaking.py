"""Who is spoken of where something is refused: this node, whose operator asked, or a person who is signed in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Who:
    """The beginnings of sentences about one whose hand would have signed."""

    are: str
    have: str
    own: str


NODE = Who("this node is", "this node has", "this node's")
PERSON = Who("you are", "you have", "your")
