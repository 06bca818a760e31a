//! Columns of events as other engines hand them on, back in the types of the schema.
//!
//! Spark has no binary of a fixed size, polars has long offsets, views and dictionaries of its own.
//! The values are the same; what would change one is refused.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Fields};

/// The column in the type of the schema; `None` where it holds something else.
pub(crate) fn conform(array: &ArrayRef, expected: &DataType) -> Option<ArrayRef> {
    let found = array.data_type();
    if alike(found, expected) {
        return Some(Arc::clone(array));
    }
    if !holds_the_same(found, expected) {
        return None;
    }
    // Not "safe": a value that does not fit is an error, not a null.
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let cast = |array: &ArrayRef, to: &DataType| cast_with_options(array, to, &options).ok();
    // From a view to a fixed size there is no way but this.
    cast(array, expected).or_else(|| cast(&cast(array, &with_offsets(expected))?, expected))
}

/// The type with binary of any size for that of a fixed one.
fn with_offsets(data_type: &DataType) -> DataType {
    match data_type {
        DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::List(item) => {
            let item_type = with_offsets(item.data_type());
            DataType::List(Arc::new(item.as_ref().clone().with_data_type(item_type)))
        }
        other => other.clone(),
    }
}

/// Engines rename list elements and drop nullability on their way; neither matters here.
fn alike(found: &DataType, expected: &DataType) -> bool {
    match (found, expected) {
        (DataType::List(found), DataType::List(expected)) => {
            alike(found.data_type(), expected.data_type())
        }
        (DataType::Struct(found), DataType::Struct(expected)) => pairwise(found, expected, alike),
        _ => found == expected,
    }
}

/// Whether every value of one type may be one of the other, too.
fn holds_the_same(found: &DataType, expected: &DataType) -> bool {
    use DataType::{
        Binary, BinaryView, Dictionary, FixedSizeBinary, LargeBinary, LargeList, LargeListView,
        LargeUtf8, List, ListView, Struct, Timestamp, Utf8, Utf8View,
    };
    match (found, expected) {
        (Dictionary(_, values), Utf8) => holds_the_same(values, expected),
        (Utf8 | LargeUtf8 | Utf8View, Utf8)
        | (Binary | LargeBinary | BinaryView, FixedSizeBinary(_))
        | (Timestamp(_, Some(_)), Timestamp(_, Some(_))) => true,
        (found, expected) if found.is_integer() && expected.is_integer() => true,
        (
            List(found) | LargeList(found) | ListView(found) | LargeListView(found),
            List(expected),
        ) => holds_the_same(found.data_type(), expected.data_type()),
        (Struct(found), Struct(expected)) => pairwise(found, expected, holds_the_same),
        _ => found == expected,
    }
}

fn pairwise(found: &Fields, expected: &Fields, fit: fn(&DataType, &DataType) -> bool) -> bool {
    found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| {
            found.name() == expected.name() && fit(found.data_type(), expected.data_type())
        })
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        Array, BinaryArray, BinaryViewArray, BooleanArray, Int64Array, LargeStringArray,
        StringArray, StringViewArray, TimestampMillisecondArray, TimestampNanosecondArray,
    };

    use super::*;
    use crate::schema::{LeafType, arrow_type};

    fn conformed(array: impl Array + 'static, leaf: LeafType) -> Option<ArrayRef> {
        conform(&(Arc::new(array) as ArrayRef), &arrow_type(leaf))
    }

    #[test]
    fn the_same_values_in_other_types_are_taken() {
        let texts = StringArray::from(vec![Some("a"), None]);
        let large = conformed(LargeStringArray::from(vec![Some("a"), None]), LeafType::Text);
        let view = conformed(StringViewArray::from(vec![Some("a"), None]), LeafType::Text);
        assert_eq!(large.unwrap().to_data(), texts.to_data());
        assert_eq!(view.unwrap().to_data(), texts.to_data());
        let ids = conformed(BinaryArray::from(vec![&[7_u8; 16][..]]), LeafType::Id).unwrap();
        assert_eq!(ids.data_type(), &DataType::FixedSizeBinary(16));
        let views = BinaryViewArray::from(vec![&[7_u8; 16][..]]);
        assert_eq!(&conformed(views, LeafType::Id).unwrap(), &ids);
        let time = TimestampMillisecondArray::from(vec![5]).with_timezone("Asia/Shanghai");
        assert!(conformed(time, LeafType::Time).is_some());
        assert!(conformed(Int64Array::from(vec![5]), LeafType::Int8).is_some());
    }

    #[test]
    fn what_would_change_a_value_is_refused() {
        assert!(conformed(BinaryArray::from(vec![&[7_u8; 15][..]]), LeafType::Id).is_none());
        assert!(conformed(Int64Array::from(vec![300]), LeafType::Int8).is_none());
        assert!(conformed(Int64Array::from(vec![5]), LeafType::Text).is_none());
        assert!(conformed(StringArray::from(vec!["5"]), LeafType::Int64).is_none());
        assert!(conformed(BooleanArray::from(vec![true]), LeafType::Text).is_none());
        let no_zone = TimestampNanosecondArray::from(vec![5]);
        assert!(conformed(no_zone, LeafType::Time).is_none(), "nobody knows which time that is");
    }
}
