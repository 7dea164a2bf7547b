package io.shardpress.schemas.output;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.List;
import java.util.Locale;

/**
 * What became of one input tensor.
 *
 * @param file the input shard that holds it
 * @param reason why it was dropped, or copied where one would expect it quantized; else empty
 * @param outputs names of the tensors that it became; empty for a dropped one
 */
public record ManifestTensor(
    String name,
    String file,
    String dtype,
    List<Long> shape,
    Action action,
    String reason,
    List<String> outputs) {
  /** What was done to a tensor. */
  public enum Action {
    QUANTIZE,
    COPY,
    DROP;

    @JsonValue
    String json() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public ManifestTensor {
    shape = List.copyOf(shape);
    outputs = List.copyOf(outputs);
    reason = reason == null ? "" : reason;
    if (action == Action.DROP && reason.isBlank()) {
      throw new IllegalArgumentException(name + " is dropped without a reason");
    }
    if (action == Action.DROP != outputs.isEmpty()) {
      throw new IllegalArgumentException(
          name + " has action " + action + " and outputs " + outputs);
    }
  }
}
