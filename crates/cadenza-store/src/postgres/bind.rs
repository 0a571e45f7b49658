//! Values on their way to PostgreSQL and back.

use super::fault::words;
use crate::dialect::Statement;
use crate::error::{Result, StoreError};
use crate::value::{Column, Columns, Kind, Val};
use ::postgres::Row;
use ::postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use std::error::Error;

pub(super) fn sql_type(kind: Kind) -> Type {
    match kind {
        Kind::Int => Type::INT8,
        Kind::Text => Type::TEXT,
        Kind::Blob => Type::BYTEA,
    }
}

/// The parameters of a statement: scalars first, then the columns, each as an array.
pub(super) struct Binds<'a> {
    values: &'a [Val],
    columns: &'a [Column<'a>],
}

impl<'a> Binds<'a> {
    pub(super) fn new(values: &'a [Val], rows: Option<&'a Columns<'a>>) -> Binds<'a> {
        Binds { values, columns: rows.map_or(&[], |r| &r.list) }
    }

    pub(super) fn list(&self) -> Vec<&'a (dyn ToSql + Sync)> {
        let scalars = self.values.iter().map(|v| v as &(dyn ToSql + Sync));
        scalars.chain(self.columns.iter().map(array)).collect()
    }
}

fn array<'a>(column: &'a Column<'a>) -> &'a (dyn ToSql + Sync) {
    match column {
        Column::Ints(v) => v,
        Column::OptInts(v) => v,
        Column::Texts(v) => v,
        Column::OptTexts(v) => v,
        Column::Blobs(v) => v,
        Column::OptBlobs(v) => v,
    }
}

impl ToSql for Val {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Val::Null | Val::NullOf(_) => Ok(IsNull::Yes),
            Val::Int(n) => n.to_sql(ty, out),
            Val::Text(t) => t.to_sql(ty, out),
            Val::Blob(b) => b.to_sql(ty, out),
        }
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    to_sql_checked!();
}

pub(super) fn value(row: &Row, i: usize, st: &Statement) -> Result<Val> {
    let Some(column) = row.columns().get(i) else { return Ok(Val::Null) };
    let ty = column.type_();
    let got = match *ty {
        Type::INT8 => row.try_get::<_, Option<i64>>(i).map(int),
        Type::INT4 => row.try_get::<_, Option<i32>>(i).map(|v| int(v.map(i64::from))),
        Type::INT2 => row.try_get::<_, Option<i16>>(i).map(|v| int(v.map(i64::from))),
        Type::BOOL => row.try_get::<_, Option<bool>>(i).map(|v| int(v.map(i64::from))),
        Type::NUMERIC => row.try_get::<_, Option<Whole>>(i).map(|v| int(v.map(|w| w.0))),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(i).map(|v| v.map_or(Val::Null, Val::Blob)),
        Type::TEXT | Type::VARCHAR | Type::NAME | Type::BPCHAR | Type::UNKNOWN => {
            row.try_get::<_, Option<String>>(i).map(|v| v.map_or(Val::Null, Val::Text))
        }
        _ => {
            return Err(StoreError::statement(
                &st.source,
                format!("column {i} ({}) is of type {ty}; expected an integer, a text or bytes", column.name()),
            ));
        }
    };
    got.map_err(|e| StoreError::statement(&st.source, format!("column {i} ({}): {}", column.name(), words(&e))))
}

fn int(v: Option<i64>) -> Val {
    v.map_or(Val::Null, Val::Int)
}

/// NUMERIC without a fraction, which is what `sum` of BIGINT answers: groups of four decimal digits.
struct Whole(i64);

impl FromSql<'_> for Whole {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Whole, Box<dyn Error + Sync + Send>> {
        let mut words = raw.chunks_exact(2).map(|b| i16::from_be_bytes([b[0], b[1]]));
        let mut word = || words.next().ok_or("a NUMERIC was cut short");
        let (groups, weight, sign, _scale) = (word()?, word()?, word()? as u16, word()?);
        let mut value: i128 = 0;
        for i in 0..groups {
            let group = i128::from(word()?);
            if i <= weight {
                value = value * 10_000 + group;
            } else if group != 0 {
                return Err("it is a fraction; only integers are stored".into());
            }
        }
        // Trailing groups of zeros are not sent.
        for _ in groups..=weight {
            value = value.checked_mul(10_000).ok_or("it is too large")?;
        }
        let value = match sign {
            0 => value,
            0x4000 => -value,
            _ => return Err("it is not a number".into()),
        };
        Ok(Whole(i64::try_from(value).map_err(|_| "it is more than 64 bits")?))
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::NUMERIC
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(words: &[i16]) -> Option<i64> {
        let raw: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
        Whole::from_sql(&Type::NUMERIC, &raw).ok().map(|w| w.0)
    }

    #[test]
    fn whole_numerics_are_integers_and_fractions_are_refused() {
        assert_eq!(numeric(&[0, 0, 0, 0]), Some(0));
        assert_eq!(numeric(&[2, 1, 0, 0, 12, 3456]), Some(123_456));
        assert_eq!(numeric(&[1, 2, 0x4000, 0, 5]), Some(-500_000_000));
        assert_eq!(numeric(&[1, -1, 0, 1, 5000]), None, "0.5");
        assert_eq!(numeric(&[1, 9, 0, 0, 1]), None, "more than 64 bits");
        assert_eq!(numeric(&[2, 1, 0, 0, 12]), None, "cut short");
    }
}
