//! The engine on the whole: a real database, a real clock that is moved by hand, the sandbox or a mail server that does as a
//! script says. What each decision comes to is tried in the core, what is written in the store; here it is that things
//! happen by themselves, once, in order, and stop at once.

mod absent;
mod applied;
mod before_the_mark;
mod caps;
mod crashes;
mod edited;
mod ends;
mod fairness;
pub mod house;
mod mails;
mod restored;
mod servers;
mod sides;
mod time;

/// Each on both databases.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::engine::house::House::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(house) = crate::engine::house::House::postgres().await {
                    super::$name(house).await;
                }
            })*
        }
    };
}
use on_both;
