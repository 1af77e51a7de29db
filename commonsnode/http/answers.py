"""What routes say of their answers: types, and how much one holds at most. Apart from the handlers, which are loaded later."""

GEOJSON_TYPE = "application/geo+json"
CSV_TYPE = "text/csv"
CALENDAR_TYPE = "text/calendar"
EVENTS_TYPE = "text/event-stream"

TRAIL_MAX = 10_000  # changesets
PAGE_RECORDS_MAX = 200
PAGE_RESERVATIONS_MAX = 1_000
WITHIN_DAYS_MAX = 3_660  # that a list of what is due looks ahead
