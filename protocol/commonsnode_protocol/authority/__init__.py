"""Who may do what: the authority function of a community.  SPEC.md, "Authority".

`evaluate` values a set at once, `Evaluator` keeps it up to date; `Authority` is what they say.
"""

from commonsnode_protocol.authority.acts import CHARTER as CHARTER
from commonsnode_protocol.authority.acts import GRANT as GRANT
from commonsnode_protocol.authority.acts import GRANTED_ROLES as GRANTED_ROLES
from commonsnode_protocol.authority.acts import MEMBER as MEMBER
from commonsnode_protocol.authority.acts import MIRROR as MIRROR
from commonsnode_protocol.authority.acts import STEWARD as STEWARD
from commonsnode_protocol.authority.acts import values_of as values_of
from commonsnode_protocol.authority.evaluator import Evaluator as Evaluator
from commonsnode_protocol.authority.evaluator import Step as Step
from commonsnode_protocol.authority.evaluator import charter_table as charter_table
from commonsnode_protocol.authority.evaluator import evaluate as evaluate
from commonsnode_protocol.authority.members import Membership as Membership
from commonsnode_protocol.authority.settings import NAME_BYTES_MAX as NAME_BYTES_MAX
from commonsnode_protocol.authority.settings import Settings as Settings
from commonsnode_protocol.authority.settings import Table as Table
from commonsnode_protocol.authority.view import Authority as Authority
from commonsnode_protocol.authority.view import standing as standing
