"""Every limit of the protocol, in one place.  SPEC.md, "Limits".

Names end in unit and bound. Whoever takes something in enforces them, before anything else is done with it.
"""

# Values and changesets
INT_MIN = -(2**63)
INT_MAX = 2**63 - 1
DEPTH_MAX = 8  # arrays and maps within one another, in a field's value
CHANGESET_BYTES_MAX = 65_536  # the body
CHANGES_MAX = 256  # in one changeset
REFS_MAX = 1_024  # in one changeset
TIME_MS_MAX = 2**53 - 1
KIND_BYTES_MAX = 32
FIELD_BYTES_MAX = 128
LATITUDE_MAX, LONGITUDE_MAX = 900_000_000, 1_800_000_000  # 1e-7 degrees
PLAUSIBLE_AHEAD_MS = 24 * 3600 * 1000  # rule 3: a time further ahead than this is no reason to go along

# Links
LINK_BYTES_MAX = 4_096
LINK_ADDRESSES_MAX = 16

# The channel
NOISE_MESSAGE_BYTES_MAX = 65_535
HANDSHAKE_MESSAGE_BYTES_MAX = 4_096
FRAME_BYTES_MAX = 2 * 1024 * 1024

# The session
HELLO_VERSIONS_MAX = 16
HELLO_AGENT_BYTES_MAX = 64
REASON_BYTES_MAX = 64
LANES_MAX = 8_192  # entries that one side may announce in a session
RECONCILE_BYTES_MAX = 256 * 1024  # one Negentropy message
RECONCILE_ROUNDS_MAX = 4_096  # of one lane
WANT_IDS_MAX = 4_096  # in one `want`
WANTED_IDS_MAX = 65_536  # asked of us and not yet answered
BATCH_BYTES_MAX = 1024 * 1024  # one `changesets` frame, unpacked
PACKED_BYTES_MAX = BATCH_BYTES_MAX + 16 * 1024  # the same, packed: what cannot be compressed grows a little
BATCH_COUNT_MAX = 4_096  # changesets in one `changesets` frame
BATCH_WINDOW_BYTES_MAX = 8 * 1024 * 1024  # of Zstandard: what it may make us hold
CREDIT_BYTES = 4 * 1024 * 1024  # what we let a peer send before we say that we go on
CREDIT_BYTES_MAX = 64 * 1024 * 1024  # what a peer may let us send
LIVE_BYTES_MAX = 1024 * 1024  # one `push` frame, unpacked
IHAVE_IDS_MAX = 4_096
UNSETTLED_MS_MAX = 90_000  # how long a peer may owe us an answer
STATE_DELAY_MS = 50  # how long a side gathers changes before it says its new fingerprints
RETRY_MS_MIN = 1_000  # before a lane that is still not equal is reconciled again
LANES_AT_ONCE_MAX = 4  # lanes of one session that are reconciled at the same time
REFUSED_MAX = 16_384  # changesets that do not stand here, from one peer between two changes of authority
HOPS_MAX = 255
SHOW_BYTES_MAX = 256 * 1024  # one `show` frame, unpacked
SHOW_PACKED_BYTES_MAX = SHOW_BYTES_MAX + 4 * 1024
FAREWELL_MS_MAX = 500  # in which who is admitted no more may still learn why
LINGER_MS = 200  # from being in step on a lane that is to be left until it is left
SHOWS_MAX = 64  # that one side may send in a session
RETRY_MS_MAX = 60_000

# The overlay
RECORD_BYTES_MAX = 1_024  # how a node is reached, in a contact
CONTACTS_MAX = 8  # in one `shuffle` or `shuffled`
WALK_HOPS_MAX = 6  # of a `walk` or a `shuffle`
ALL_NEIGHBOURS_BELOW = 12  # with fewer nodes known there is no overlay: all are neighbours
WALKS_BURST = 32  # `join`, `walk` and `shuffle` of one link that are taken at once …
WALK_EVERY_MS = 1_000  # … and after that, one so often
ROUTES_MAX = 1_024  # walks whose answers we may have to bring back
ROUTE_MS_MAX = 20_000  # how long an answer to a walk is waited for
DIALS_BURST = 8  # dials for one community at once …
DIAL_EVERY_MS = 2_000  # … and after that, one so often
EVICT_EVERY_MS = 10_000  # how often a stranger may take a neighbour's place
ANNOUNCED_MAX = 4_096  # ids said to be news by one peer, and not here yet
