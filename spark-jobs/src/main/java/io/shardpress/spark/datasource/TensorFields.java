package io.shardpress.spark.datasource;

import io.shardpress.schemas.arrow.WeightTable;
import io.shardpress.schemas.model.TensorPlace;
import io.shardpress.spark.io.TensorRef;
import java.util.Optional;
import org.apache.spark.unsafe.types.UTF8String;

/** The values that a tensor has in the columns that are the same for all of its tiles. */
record TensorFields(TensorRef tensor, TensorPlace place) {
  static TensorFields of(TensorRef tensor) {
    return new TensorFields(tensor, TensorPlace.of(tensor.tensor()));
  }

  /** Whether filters on the column can be answered from these. */
  static boolean has(String column) {
    return switch (column) {
      case WeightTable.TENSOR,
          WeightTable.LAYER,
          WeightTable.ROLE,
          WeightTable.SHARD,
          WeightTable.DTYPE ->
          true;
      default -> false;
    };
  }

  /** The value as Spark holds it, UTF8String or Integer; empty for null. */
  Optional<Comparable<?>> value(String column) {
    return switch (column) {
      case WeightTable.TENSOR -> Optional.of(UTF8String.fromString(tensor.tensor()));
      case WeightTable.LAYER ->
          place.layer().isPresent() ? Optional.of(place.layer().getAsInt()) : Optional.empty();
      case WeightTable.ROLE -> Optional.of(UTF8String.fromString(place.role()));
      case WeightTable.SHARD -> Optional.of(UTF8String.fromString(tensor.shard()));
      case WeightTable.DTYPE -> Optional.of(UTF8String.fromString(tensor.dtype().name()));
      default -> throw new IllegalArgumentException("no column of a tensor: " + column);
    };
  }
}
