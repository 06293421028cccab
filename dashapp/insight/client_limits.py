"""What a client must do at least before it is named. Each a minimum of effect or of number, with its reason. Pure."""

from __future__ import annotations

from datetime import timedelta

# What is quick shows in minutes; what is patient, a request every minute or two, only in an hour.
FAST, SLOW = timedelta(minutes=5), timedelta(hours=1)
# No finding ends in a pause that is shorter; nor does one begin before it.
QUIET = timedelta(minutes=20)
# It goes on while it does a fifth of what it was found with; below it has gone back to what it did before.
STILL = 0.2
# At the same level for so long it is what is usual now.
ADOPTED = timedelta(hours=24)
# How long the watch must have looked before "more than ever" or "more than any other" means anything.
WARM_UP = timedelta(hours=2)
# How far back it remembers what a client called, and what the largest clients of a service did.
REMEMBERED_CLIENT, REMEMBERED_SERVICE = timedelta(days=8), timedelta(hours=24)
# Clients of a step that are looked at closely, the largest first: a bound for the time of a step.
MOST_LOOKED_AT = 40
# Corrected for the number of clients; as a step is taken every minute, also for the minutes of a year.
LIKELY_BY_CHANCE = 1e-7

# A client that asks for the same missing icon with every page is no scanner: paths count, not requests.
SCANNED_PATHS_FAST, SCANNED_PATHS_SLOW = 15, 40
SCANNED_SHARE = 0.6  # missing, of all its requests
SCANNED_SHARE_OF_MANY, SCANNED_MANY = 0.3, 4  # behind one address may be others: then so many times as many paths
SCANNED_RATIO = 3.0  # to the share of missing requests of everybody else

# Somebody who forgot a password tries ten times, perhaps; the pause between two tries is longer than a program's.
REFUSED_FAST, REFUSED_SLOW = 15, 25
REFUSED_SHARE = 0.8  # of its requests to log in: an office in which twenty people mistype has also those who do not
REFUSED_RATIO = 2.0

READ_PATHS_FAST, READ_PATHS_SLOW = 100, 200
READ_DISTINCT = 0.7  # paths by requests: who reads everything reads it once
READ_OK = 0.8
READ_UNEVEN = 0.5  # spread of its requests by minute beyond what counting gives, relative to their mean
READ_MINUTES_FAST, READ_MINUTES_SLOW = 1.0, 0.3  # share of the minutes of the window with a request

CALLED_FAST, CALLED_SLOW = 150, 600
CALLED_MINUTES = 5
# Times the largest other client; of reading, the largest that has not always read so much. An hour evens out more.
BEYOND_OTHERS_FAST, BEYOND_OTHERS_SLOW = 3.0, 2.0
BEYOND_ITSELF = 3.0  # times what it did before
LEAST_SHARE_OF_TRAFFIC = 0.02
BOTS = 3.0  # a bot that says that it is one may do so many times as much: search engines do ask for old paths

# A network is named instead of an address where none of its addresses does most of it, or where so many stand out.
MOST_OF_NETWORK = 0.8
ADDRESSES_OF_NETWORK = 3

# A finding that is open is told of again when it grew so much, or after so long.
TELL_GROWTH, TELL_EVERY = 1.5, timedelta(minutes=10)
LONGEST_AGENT = 200
