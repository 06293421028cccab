"""What a deviation must be at least before anything is said: size of effect, numbers, how sure. Each with its reason.

Effects are tested against what is put up with, not against "exactly as usual": no system ever is exactly as usual, and
with enough requests every trifle is certain. Sizes are stated for what a reader of the log sees.
"""

from __future__ import annotations

from datetime import timedelta

# --- time ---
# Lengths of the windows that end now, in buckets: what is violent shows in one, what is faint needs an hour.
WINDOWS = (1, 2, 3, 5, 8, 12, 18, 27, 40, 60)
LONGEST = WINDOWS[-1]
# How far back the moment of the beginning is sought; a little more than the longest window.
REMEMBERED = 192
# A bucket makes the baseline only when it is so old: then what began in it would have been found.
HELD_BACK = LONGEST
# Half of the weight of a baseline is younger: long enough for day and night, short enough to follow a release.
HALF_LIFE = timedelta(hours=24)
# It is over when it has not been for so long: waves of one trouble, ten minutes apart, are one finding.
QUIET = 20
QUIET_OUTAGE = 3
# It goes on while so much of what it began with is left.
STILL = 0.5
# What has lasted so long is what is usual now.
ADOPTED = timedelta(hours=24)
# Scope and beginning of a finding are looked at again while it is young: more is known by then.
YOUNG = 15
# Two deviations that begin within so many buckets began together.
TOGETHER = 5
# A gap in the collection that is longer makes what was before it too old to compare minute by minute.
LONGEST_GAP = 30
# So many buckets in a row from the past mean that the clock was wrong before, not now.
BACKWARDS = 5

# --- how sure ---
# Expected false findings by service and week: 10,080 minutes x about 20 endpoints x 4 questions x some 4 windows that
# are independent of each other make 3 million questions; 1e-7 leaves a third of one. Corrected for endpoints by
# Benjamini-Hochberg within each minute, so this is the level of a minute.
LIKELY_BY_CHANCE = 2e-6
# Natural logarithm of the likelihood ratio that it is over rather than going on, and that the others are struck too.
SURE_OVER = 9.0
SURE_SHARED = 7.0
# Requests come and fail in clusters, more than independent ones would; how much is learned. Where nothing is known:
CLUSTERED = 1.5
CLUSTERED_TRAFFIC = 4.0
# Variance (in units of counts) that what is learned must outweigh.
CLUSTERED_WEIGHT = 10.0

# --- errors: 5xx (the fault of the service) and 4xx (often that of who asks) apart ---
FEWEST_ERRORS = 8  # of fewer nobody should conclude anything
FEWEST_BASELINE = 100  # requests of an endpoint before it has a usual share
TOLERATED_RATIO_5XX, TOLERATED_MORE_5XX = 1.5, 0.003
TOLERATED_RATIO_4XX, TOLERATED_MORE_4XX = 1.5, 0.02
LEAST_MORE_5XX, LEAST_RATIO_5XX = 0.01, 2.5  # share of failed requests beyond the usual one, and times as large
LEAST_MORE_4XX, LEAST_RATIO_4XX = 0.10, 2.0  # people mistype, lists go out of date: only what many do at once counts
# A service is the subject where others of its endpoints fail at least so much as the worst one, and so many of them.
SHARED_RATE, SHARED_BREADTH = 0.25, 0.5
FEWEST_TO_TELL = 3.0  # failures an endpoint would have if it were struck too: with fewer, none says nothing
# One client or network behind so much of the excess is the story, not the endpoint.
CROWDED = 0.5
NETWORK_FAILURES, NETWORK_SHARE, NETWORK_RATIO = 8, 0.15, 5.0
# A route that is new: of so many requests and failures, and so much of all.
NEW_REQUESTS, NEW_FAILURES, NEW_SHARE = 10, 5, 0.3
NEW_FOR = timedelta(hours=24)

# --- latency: in slots of the sketch, of which each is 5 % ---
FEWEST_LATENCIES = 200  # of an endpoint before it has a usual distribution
TOLERATED_SLOTS = 3  # 16 % slower: what load and the hour of the day do
LEAST_SLOTS = 5  # the median must have moved by 28 % since the last hours
LEAST_SLOTS_OF_DAYS = 3.5  # and be 19 % above that of the last days: what only comes back from a quiet hour is no news
# For the slowest: counted beyond p95 and 63 %, put up with are those that are 16 % slower, and 1.3 times as many.
TAIL_BEYOND, TOLERATED_TAIL_SLOTS, TOLERATED_TAIL, TOLERATED_TAIL_MORE = 10, 3, 1.3, 0.003
LEAST_TAIL = 0.025  # of all requests beyond that, more than usual
FEWEST_SLOWER = 12  # requests that are slower
TAIL_SHARE = 0.95

# --- slowly, and again and again ---
BLOCK = 10  # minutes of which one median is kept
DRIFT_BLOCKS = 5  # a rise that takes less is a step
DRIFT_BETTER = 0.6  # how much better than a step a ramp must fit
DRIFT_DAYS, DRIFT_DAILY_SLOTS = 4, 7  # over days: 40 % more after at least so many
BAND_SLOTS = 4  # 20 % above the other hours of that day
BAND_DAYS = 2  # days before on which it was slow at that time; today is the third
BAND_REST = timedelta(hours=26)  # a band that stays away so long is over

# --- traffic ---
TOLERATED_MORE, TOLERATED_LESS = 1.15, 0.87  # what an expectation is off by on an ordinary day
LEAST_MORE, LEAST_LESS = 1.5, 0.67  # a campaign, a holiday are less
BEYOND_PEAKS = 1.5  # times what the busiest windows of a day had: some sites are called once an hour
# Where only the last hours are known, not last week's: mornings double the traffic within an hour.
TOLERATED_MORE_BLIND, TOLERATED_LESS_BLIND = 2.2, 0.4
LEAST_MORE_BLIND, LEAST_LESS_BLIND = 3.0, 0.3
FEWEST_EXPECTED = 5.0  # requests a minute before a drop or an outage can be told from chance
OUTAGE_MINUTES = 3  # a restart takes less
BLIND_MINUTES = 90  # of trailing traffic before a trend means anything
