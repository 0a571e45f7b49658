//! A message was not what it was taken for (REC-6): what it had done here is taken back. What the right class asks follows as
//! an event of its own; the suppression list is set right by whoever corrects.

use super::Level;
use super::event::{Correctable, Otherwise};
use super::refusal::Refusal;
use super::turn::Turn;
use crate::enrollment::{Finish, Hold, Life, Mark};
use crate::settings::OnReply;
use crate::time::Time;

impl Turn<'_> {
    pub fn take_back(&mut self, what: Correctable, at: Time, otherwise: Otherwise) -> Result<(), Refusal> {
        self.uncount(what, otherwise);
        // The line it takes back is named, so that nobody takes that one for standing any more.
        self.say(Level::Info, what.cause(), Some(at.to_string()));
        if otherwise == Otherwise::Stands {
            return Ok(());
        }
        let hold = match what {
            Correctable::Reply | Correctable::ReplyElsewhere => Some(Hold::Reply),
            Correctable::ColleagueReply => Some(Hold::Colleague),
            Correctable::OutOfOffice => Some(Hold::OutOfOffice),
            Correctable::Bounce | Correctable::SoftBounce | Correctable::OptOut | Correctable::Meeting => None,
        };
        let held = hold.filter(|h| self.e.holds.has(*h));
        if let Some(hold) = held {
            self.lift(hold);
        }
        if self.e.life == Life::Finished && self.e.finish.is_some() && self.e.finish == what.ended_by() {
            return self.not_ended_after_all(otherwise);
        }
        if what == Correctable::SoftBounce {
            self.not_tried_again();
        } else if held.is_some() && self.e.is_live() {
            self.after_lifting();
        }
        Ok(())
    }

    /// The counts and facts that the message had changed.
    fn uncount(&mut self, what: Correctable, otherwise: Otherwise) {
        match what {
            Correctable::Reply => {
                self.e.replies = self.e.replies.saturating_sub(1);
                if self.e.replies == 0 {
                    self.e.first_reply_at = None;
                    self.e.last_reply_at = None;
                }
            }
            Correctable::SoftBounce if otherwise != Otherwise::Stands => {
                self.e.soft_bounces = self.e.soft_bounces.saturating_sub(1);
                if self.e.soft_bounces == 0 {
                    self.e.soft_bounce_at = None;
                }
                self.e.bounced = false;
            }
            Correctable::Bounce if otherwise != Otherwise::Stands => self.e.bounced = false,
            Correctable::OptOut if otherwise != Otherwise::Stands => {
                self.e.opted_out = self.e.mark == Some(Mark::OptedOut);
            }
            _ => {}
        }
    }

    /// Back to where it stood; or ended by what was noted since, or by the end of its sequence, in place of the message.
    fn not_ended_after_all(&mut self, otherwise: Otherwise) -> Result<(), Refusal> {
        if self.e.mark.is_some() {
            return self.reopen_unless_judged();
        }
        let reply = self.facts.settings().reply;
        let ended_by = match otherwise {
            Otherwise::Since(Finish::Replied) if reply != OnReply::Stop => None,
            Otherwise::Since(finish) => Some(finish),
            Otherwise::Nothing | Otherwise::Stands => self.sequence_is_over().then_some(Finish::SequenceEnded),
        };
        if let Some(finish) = ended_by {
            self.e.finish = Some(finish);
            return Ok(());
        }
        self.reopen(None)?;
        if otherwise == Otherwise::Since(Finish::Replied) && reply == OnReply::Pause && self.e.is_live() {
            self.hold(Hold::Reply);
        }
        Ok(())
    }

    /// The message had arrived after all: it is not sent once more, and what comes after it is next.
    fn not_tried_again(&mut self) {
        let again = self.e.place.as_ref().is_some_and(|p| Some(&p.step) == self.e.last_step.as_ref());
        if self.e.life != Life::Running || !again || self.is_marked() || self.is_unknown() {
            return;
        }
        self.drop_planned();
        self.after_lifting();
        if self.e.place.is_none()
            && self.e.is_live()
            && let Some(next) = self.spot_after_last()
        {
            self.plan(next, self.e.last_action_at.unwrap_or(self.now), None);
        }
    }
}
