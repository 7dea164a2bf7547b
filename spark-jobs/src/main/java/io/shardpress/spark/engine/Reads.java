package io.shardpress.spark.engine;

import io.shardpress.spark.io.FileSlice;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;

/**
 * What a task mostly reads, so that Spark can run it where these bytes lie.
 *
 * @param slices of files
 * @param parts of the store
 */
public record Reads(List<FileSlice> slices, List<PartKey> parts) {
  /** Nothing to speak of, or what any host has as far away. */
  public static final Reads NOTHING = new Reads(List.of(), List.of());

  /** Whole tensors. */
  public static Reads tensors(Collection<TensorRef> tensors) {
    return new Reads(
        tensors.stream().flatMap(tensor -> FileSlice.of(tensor).stream()).toList(), List.of());
  }

  /** Rows [rowStart, rowStart + rowCount) of a tensor. */
  public static Reads rows(TensorRef tensor, long rowStart, int rowCount) {
    return new Reads(FileSlice.ofRows(tensor, rowStart, rowCount), List.of());
  }

  /** Whole parts. */
  public static Reads parts(Collection<PartKey> parts) {
    return new Reads(List.of(), List.copyOf(parts));
  }

  /** Whole parts; some may be null. */
  public static Reads parts(PartKey... parts) {
    return parts(Arrays.stream(parts).filter(Objects::nonNull).toList());
  }

  /** Both. */
  public Reads and(Reads other) {
    List<FileSlice> bothSlices = new ArrayList<>(slices);
    bothSlices.addAll(other.slices);
    List<PartKey> bothParts = new ArrayList<>(parts);
    bothParts.addAll(other.parts);
    return new Reads(bothSlices, bothParts);
  }
}
