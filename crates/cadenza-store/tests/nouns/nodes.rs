//! Nodes on one database: numbers, leases over the shards, and who is gone.

use crate::world::World;
use cadenza_core::time::{Span, Time};
use cadenza_store::StoreError;
use cadenza_store::nodes::{self, Beat, Moment, Node, Share};

const LEASE: Span = Span::seconds(15);

fn at(seconds: i64) -> Moment {
    let clock = Time::from_seconds(1_800_000_000 + seconds);
    // The node's own clock is wrong by years: only an outage is measured by it.
    Moment { now: clock - Span::days(3_000), clock, lease: LEASE }
}

fn begin(world: &World, own: Option<u16>, seconds: i64) -> Node {
    world.write(|tx| nodes::begin(tx, own, 77, at(seconds)))
}

fn beat(world: &World, node: Node, seconds: i64) -> Option<Beat> {
    world.write(|tx| nodes::beat(tx, node, at(seconds)))
}

fn shards(world: &World, node: Node, seconds: i64) -> usize {
    beat(world, node, seconds).unwrap().share.len()
}

/// Every shard belongs to one node at most, and to one at all once everybody has said something.
fn is_whole(shares: &[Share]) -> bool {
    let of = |share: &Share| match share {
        Share::All => "1".repeat(256),
        Share::Some(shards) => shards.clone(),
    };
    let all: Vec<String> = shares.iter().map(of).collect();
    (0..256).all(|i| all.iter().filter(|share| share.as_bytes()[i] == b'1').count() == 1)
}

pub fn the_shards_are_shared_out_and_levelled(world: &World) {
    let a = begin(world, None, 0);
    assert_eq!((a.number, a.epoch), (0, 1));
    assert!(beat(world, a, 0).unwrap().share.is_all(), "there is nobody else");
    let b = begin(world, None, 1);
    assert_eq!((b.number, b.epoch), (1, 2));
    assert_eq!(shards(world, b, 1), 0, "nothing is free yet");
    assert_eq!(shards(world, a, 2), 128, "what goes beyond a fair share is given back");
    assert_eq!(shards(world, b, 2), 128);
    let c = begin(world, None, 3);
    assert_eq!((shards(world, a, 4), shards(world, b, 4), shards(world, c, 4)), (86, 86, 84));
    let shares: Vec<Share> = [a, b, c].iter().map(|node| beat(world, *node, 5).unwrap().share).collect();
    assert!(is_whole(&shares), "{shares:?}");
    assert_eq!(shares.iter().filter(|share| share.leads()).count(), 1);
}

pub fn a_node_that_gives_no_sign_of_life_is_gone(world: &World) {
    let (a, b) = (begin(world, None, 0), begin(world, None, 0));
    assert_eq!((shards(world, a, 1), shards(world, b, 1)), (128, 128));
    assert_eq!(shards(world, a, 15), 128, "not yet");
    let found = beat(world, a, 17).unwrap();
    assert_eq!((found.fallen, found.nodes), (1, 1));
    assert!(found.share.is_all(), "its shards go to who is left");
    assert_eq!(beat(world, b, 18), None, "it wakes up, and its run is over");
    let again = begin(world, None, 18);
    assert_ne!(again.number, b.number, "its number is kept for a while: ids bear it");
    assert!(again.epoch > b.epoch);
    assert_eq!((shards(world, a, 19), shards(world, again, 19)), (128, 128));
    let own = begin(world, Some(b.number), 20);
    assert_eq!(own.number, b.number, "whoever knows the holder dead takes the number over");
    assert_eq!(beat(world, b, 20), None);
}

pub fn one_that_leaves_in_order_frees_its_shards_first(world: &World) {
    let (a, b) = (begin(world, None, 0), begin(world, None, 0));
    assert_eq!((shards(world, a, 1), shards(world, b, 1)), (128, 128));
    world.write(|tx| nodes::retire(tx, b));
    assert!(beat(world, a, 2).unwrap().share.is_all(), "at once");
    let leaving = beat(world, b, 14).unwrap();
    assert!(leaving.share.is_empty() && leaving.fallen == 0, "it waits for answers, and takes on nothing");
    assert!(beat(world, a, 20).unwrap().fallen == 0, "and is not taken for gone");
    world.write(|tx| nodes::leave(tx, b));
    assert_eq!(beat(world, b, 21), None);
    assert_eq!(world.read(|q| nodes::at_work(q, at(21).clock, LEASE)), 1);
}

pub fn numbers_are_not_given_twice(world: &World) {
    let (a, b, c) = (begin(world, None, 0), begin(world, None, 0), begin(world, None, 0));
    assert_eq!([a.number, b.number, c.number], [0, 1, 2]);
    world.write(|tx| nodes::leave(tx, b));
    assert_eq!(begin(world, None, 60).number, 3, "a moment ago");
    assert_eq!(begin(world, None, 3_700).number, 1, "an hour ago");
    let came_back = world.read(|q| nodes::number_of(q, b));
    assert_eq!(came_back, None, "it was down for long, and its number is another's");
    let of_c = world.read(|q| nodes::number_of(q, c));
    assert_eq!(of_c, Some(2));
    assert_ne!(begin(world, came_back, 3_700).number, 1);
    let full = world.db.write(|tx| (4..=600).try_for_each(|_| nodes::begin(tx, None, 77, at(0)).map(drop)));
    assert!(matches!(full, Err(StoreError::Inconsistent { table: "node", .. })), "{full:?}");
}

pub fn all_lives_together_are_what_a_witness_sees(world: &World) {
    assert_eq!(world.read(nodes::life), None);
    let a = begin(world, None, 0);
    let b = world.write(|tx| nodes::begin(tx, None, 99, at(5)));
    let life = world.read(nodes::life).unwrap();
    assert_eq!((life.identity, life.beats), (77, 2), "the first start of all drew the identity");
    beat(world, a, 6).unwrap();
    let life = beat(world, b, 9).unwrap().life;
    assert_eq!((life.beats, life.alive_at), (4, at(9).now));
}
