"""All parts of coaching, put together once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from huaxiang.api.coaching.answers import AnswerDesk, Appeals, DigestDesk, NoAppeals
from huaxiang.api.coaching.desk import CoachingDesk
from huaxiang.api.coaching.reading import CoachingReader, FinalScores, NoReviews
from huaxiang.api.coaching.records import Records
from huaxiang.api.coaching.reviewed import ReviewAppeals, ReviewedScores
from huaxiang.api.reviews.suite import reviews_of
from huaxiang.core.settings import Settings
from huaxiang.profile.coaching.outcomes import DEFAULT_WINDOW_DAYS


@dataclass(frozen=True, slots=True)
class Coaching:
    """What endpoints, pages and commands use: stores and conversations, figures, answers, digests."""

    records: Records
    desk: CoachingDesk
    answers: AnswerDesk
    digests: DigestDesk


def build_coaching(
    zone: tzinfo,
    finals: FinalScores | None = None,
    appeals: Appeals | None = None,
    window_days: int = DEFAULT_WINDOW_DAYS,
) -> Coaching:
    """Return coaching for the days of ``zone``; without reviews every score is the automatic one."""
    records = Records(CoachingReader(zone, finals or NoReviews(), window_days), zone)
    return Coaching(
        records, CoachingDesk(records), AnswerDesk(records), DigestDesk(records, appeals or NoAppeals())
    )


def open_coaching(settings: Settings) -> Coaching:
    """Return coaching by the days of the settings' zone, over the scores that hold after review."""
    finals = ReviewedScores(reviews_of(settings).cases)
    return build_coaching(ZoneInfo(settings.default_zone), finals, ReviewAppeals())
