"""Says what clocks show and when windows open, by Python's own zoneinfo and the tzdata package.

    zone_oracle.py version            the release of the tzdata package
    zone_oracle.py changes            every zone and its changes of offset, 2024 to 2037
    zone_oracle.py openings < QUERY   around each change: offsets, delays and openings

Nothing is clever here: a window is looked for quarter of an hour by quarter of an hour, on the local fields of each moment.
All changes, offsets and windows must lie on quarters, or the script stops with an error.
"""

import json
import sys
import zoneinfo
from datetime import date, datetime, timedelta, timezone

zoneinfo.reset_tzpath(to=[])  # the tzdata package alone, never the system's files

QUARTER = 900
HOUR = 3600
DAY = 24 * HOUR
FIRST = int(datetime(2024, 1, 1, tzinfo=timezone.utc).timestamp())
LAST = int(datetime(2038, 1, 1, tzinfo=timezone.utc).timestamp())
# Zones without changes are looked at here: over the end of a leap year's February.
QUIET_MOMENT = int(datetime(2028, 2, 29, tzinfo=timezone.utc).timestamp())


def main(command):
    import tzdata

    if command == "version":
        print(tzdata.IANA_VERSION)
    elif command == "changes":
        for name in sorted(zoneinfo.available_timezones() - {"Factory", "localtime"}):
            first, changes = changes_of(zoneinfo.ZoneInfo(name))
            print(name, first, *(f"{at}:{offset}" for at, offset in changes))
    elif command == "openings":
        query = json.load(sys.stdin)
        for name in query["zones"]:
            for line in openings_in(name, query["windows"]):
                print(line)
    else:
        sys.exit(f"unknown command {command!r}: expected version, changes or openings")


def offset_at(zone, moment):
    return int(datetime.fromtimestamp(moment, zone).utcoffset().total_seconds())


def changes_of(zone):
    """The offset at FIRST, and each later change: its moment and the offset from then on."""
    changes = []
    first = before = offset_at(zone, FIRST)
    for noon in range(FIRST + DAY, LAST + DAY, DAY):
        after = offset_at(zone, noon)
        if after != before:
            low, high = noon - DAY, noon
            while high - low > 1:
                middle = (low + high) // 2
                if offset_at(zone, middle) == before:
                    low = middle
                else:
                    high = middle
            if high < LAST:
                changes.append((high, after))
            before = after
    return first, changes


class Window:
    def __init__(self, form):
        self.days = set(form["days"])  # Monday is 0
        self.start = form["start"]  # minutes since midnight
        self.stop = form["stop"]
        self.holidays = set(form["holidays"])  # 2027-03-26, or 12-25 for every year
        assert self.start % 15 == 0 and self.stop % 15 == 0, "a window must lie on quarters"
        self.all_day = self.start == 0 and self.stop == 24 * 60
        self.allowed = {}

    def allows(self, day):
        if day not in self.allowed:
            text = day.isoformat()
            is_holiday = text in self.holidays or text[5:] in self.holidays
            self.allowed[day] = day.weekday() in self.days and not is_holiday
        return self.allowed[day]

    def is_open(self, local):
        if local.fold and not self.all_day:
            return False  # the second time that the clock shows it
        minute = local.hour * 60 + local.minute
        return self.start <= minute < self.stop and self.allows(local.date())


def first_moment(zone, naive):
    """Of a local time: the first of two; the next that exists where it does not."""
    while True:
        moment = int(naive.replace(tzinfo=zone, fold=0).timestamp())
        if datetime.fromtimestamp(moment, zone).replace(tzinfo=None, fold=0) == naive:
            return moment
        naive += timedelta(seconds=QUARTER)


def days_later(zone, local, count):
    return first_moment(zone, local.replace(tzinfo=None, fold=0) + timedelta(days=count))


def business_days_later(zone, local, count, window):
    day = local.date()
    while count:
        day += timedelta(days=1)
        count -= window.allows(day)
    return first_moment(zone, datetime.combine(day, local.time().replace(fold=0)))


def openings_in(name, forms):
    zone = zoneinfo.ZoneInfo(name)
    windows = [Window(form) for form in forms]
    _, changes = changes_of(zone)
    for change, _ in changes or [(QUIET_MOMENT, 0)]:
        assert change % QUARTER == 0, f"{name} changes between quarters"
        moments = list(range(change - 26 * HOUR, change + 26 * HOUR + 1, QUARTER))
        locals_ = [datetime.fromtimestamp(moment, zone) for moment in moments]
        offsets = [int(local.utcoffset().total_seconds()) for local in locals_]
        assert all(offset % QUARTER == 0 for offset in offsets), f"{name} has an offset between quarters"
        latest = date.min
        for local in locals_:
            assert local.date() >= latest, f"{name} goes back to the day before: the rule of whole days is not told here"
            latest = local.date()
        yield f"around {name} {moments[0]}"
        yield "offsets " + " ".join(map(str, offsets))
        yield "day " + " ".join(str(days_later(zone, local, 1)) for local in locals_)
        business = (business_days_later(zone, local, 3, windows[0]) for local in locals_)
        yield "business " + " ".join(map(str, business))
        for window in windows:
            yield "opens " + " ".join(map(str, next_openings(zone, window, moments, locals_)))


def next_openings(zone, window, moments, locals_):
    """For each moment the first quarter, from it on, at which the window is open."""
    after = moments[-1]
    while not window.is_open(datetime.fromtimestamp(after, zone)):
        after += QUARTER
    found = []
    for moment, local in zip(reversed(moments), reversed(locals_)):
        if window.is_open(local):
            after = moment
        found.append(after)
    return reversed(found)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
