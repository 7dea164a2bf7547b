package io.shardpress.spark.engine;

import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartException;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Content digests of a checkpoint's tensors. They are kept by (URI, length, modification time,
 * etag) of the file, so that a run over the same files does not read them again.
 */
public final class Digests {
  private static final long BYTES_PER_UNIT = 256 << 20;

  private final Map<String, String> byTensor;

  private Digests(Map<String, String> byTensor) {
    this.byTensor = byTensor;
  }

  /** Reads what the store has, and the weights for what it has not. */
  public static Digests of(Checkpoint checkpoint, StepRunner runner) {
    runner.run("digests", Where.MODEL, units(checkpoint));
    return known(checkpoint, runner.store());
  }

  /** Those that the store has; no part is named after a tensor that is missing. */
  public static Digests known(Checkpoint checkpoint, PartStore store) {
    Map<String, String> digests = new HashMap<>();
    store.present(parts(checkpoint)).forEach(part -> digests.putAll(read(part, store)));
    return new Digests(digests);
  }

  /** The parts that hold a checkpoint's, there or not. */
  public static List<PartKey> parts(Checkpoint checkpoint) {
    return units(checkpoint).stream().map(DigestStep::part).toList();
  }

  /** Hex digests of an earlier run by tensor, as far as its parts can still be read. */
  public static Map<String, String> read(List<String> parts, PartStore store) {
    Map<String, String> digests = new HashMap<>();
    for (String part : parts) {
      try {
        digests.putAll(read(new PartKey(part), store));
      } catch (PartException e) {
        // Only a reason is lost by that.
      }
    }
    return digests;
  }

  private static Map<String, String> read(PartKey part, PartStore store) {
    Map<String, String> digests = new HashMap<>();
    try (PartReader reader = store.read(part)) {
      for (int i = 0; i < reader.rows(); i++) {
        PartRow row = reader.row(i);
        digests.put(row.tensor(), HexFormat.of().formatHex(row.data()));
      }
    }
    return digests;
  }

  private static List<DigestStep> units(Checkpoint checkpoint) {
    Map<String, CheckpointFile> files = new HashMap<>();
    checkpoint.files().forEach(file -> files.put(file.uri(), file));
    List<DigestStep> units = new ArrayList<>();
    List<TensorRef> group = new ArrayList<>();
    long bytes = 0;
    for (TensorRef tensor : checkpoint.inFiles()) {
      if (!group.isEmpty()
          && (bytes + tensor.length() > BYTES_PER_UNIT
              || !group.get(0).file().equals(tensor.file()))) {
        units.add(unit(files, group));
        group = new ArrayList<>();
        bytes = 0;
      }
      group.add(tensor);
      bytes += tensor.length();
    }
    if (!group.isEmpty()) {
      units.add(unit(files, group));
    }
    return units;
  }

  private static DigestStep unit(Map<String, CheckpointFile> files, List<TensorRef> group) {
    return new DigestStep(
        files.get(group.get(0).file()), group.stream().map(DigestStep.FileTensor::of).toList());
  }

  /** Whether the tensor's content is known. */
  public boolean knows(TensorRef tensor) {
    return tensor.sources().stream().allMatch(source -> byTensor.containsKey(source.tensor()));
  }

  /** SHA-256 of a tensor's bytes in lower-case hex; "unknown" where it is not known. */
  public String hex(String tensor) {
    return byTensor.getOrDefault(tensor, "unknown");
  }

  /** A checkpoint's tensors with their content, by name; "unknown" where no step has read it. */
  public Map<String, TensorRef> contents(Checkpoint checkpoint) {
    Map<String, TensorRef> contents = new HashMap<>();
    for (TensorRef tensor : checkpoint.tensors()) {
      contents.put(tensor.tensor(), tensor.withContent(content(tensor)));
    }
    return contents;
  }

  /** Of a tensor that is dequantized on read, the digests of all that it is made of, and how. */
  private String content(TensorRef tensor) {
    if (tensor.stored() == null) {
      return hex(tensor.tensor());
    }
    String sources =
        tensor.sources().stream()
            .map(one -> one.dtype() + " " + one.shape() + " " + hex(one.tensor()))
            .collect(Collectors.joining(", "));
    return tensor.stored().form() + " [" + sources + "]";
  }
}
