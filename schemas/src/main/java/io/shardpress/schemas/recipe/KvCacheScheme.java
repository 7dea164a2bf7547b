package io.shardpress.schemas.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * How keys and values are kept in the cache when the model runs: 8 bits, symmetric, one scale for
 * all keys of a block and one for all its values, from calibration.
 *
 * @param floating true: FP8 (E4M3), which is what vLLM takes; false: int8
 */
public record KvCacheScheme(boolean floating) implements Serializable {
  /** Bits of a cached element. */
  public static final int BITS = 8;

  static final String WANTED =
      "{num_bits: 8, type: float or int, strategy: tensor, dynamic: false, symmetric: true}";

  private static final Map<String, Domain> KEYS =
      QuantizationArgs.keys(
          Map.of(
              "num_bits", new Domain.Whole(BITS, BITS),
              "type", new Domain.Choice(List.of("float", "int"), List.of()),
              "symmetric", new Domain.Fixed(true),
              "strategy",
                  new Domain.Choice(List.of("tensor"), List.of("attn_head", "token", "channel")),
              "group_size", new Domain.Nothing(),
              "dynamic", new Domain.Fixed(false),
              "observer", QuantizationArgs.MINMAX));

  /** compressed-tensors' word for the kind of number. */
  public String type() {
    return floating ? "float" : "int";
  }

  /**
   * Reads {@code kv_cache_scheme} as compressed-tensors writes it; what is left out takes its
   * defaults: 8 bits, int, symmetric, tensor, static.
   *
   * @throws io.shardpress.schemas.UsageException for what is unknown, wrong or not supported yet
   */
  static KvCacheScheme parse(String where, JsonNode node) {
    QuantizationArgs args = new QuantizationArgs(where, node, WANTED, KEYS);
    return new KvCacheScheme(args.text("type", "int").equals("float"));
  }
}
