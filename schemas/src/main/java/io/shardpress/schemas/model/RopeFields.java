package io.shardpress.schemas.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;

/**
 * Rotary embeddings in config.json. Transformers 5: rope_parameters {rope_type, rope_theta, …};
 * before: rope_theta beside rope_scaling {rope_type, or type in older files, …}.
 */
final class RopeFields {
  private static final double DEFAULT_THETA = 10_000;

  private final ConfigFields config;
  private final Optional<ConfigFields> parameters;
  private final List<String> missing;

  RopeFields(ConfigFields config, List<String> missing) {
    this.config = config;
    this.missing = missing;
    Optional<ConfigFields> found = config.object("rope_parameters");
    this.parameters = found.isPresent() ? found : config.object("rope_scaling");
  }

  double theta() {
    return parameters
        .flatMap(fields -> fields.number("rope_theta"))
        .or(() -> config.number("rope_theta"))
        .orElse(DEFAULT_THETA);
  }

  /** The scaling, or null; a type that has no block here is noted as missing. */
  RopeScaling scaling() {
    partial(config);
    parameters.ifPresent(this::partial);
    if (parameters.isEmpty()) {
      return null;
    }
    ConfigFields fields = parameters.get();
    if (fields.find("full_attention").isPresent() || fields.find("sliding_attention").isPresent()) {
      missing.add("rope_parameters per layer type: no block for it");
      return null;
    }
    String type = fields.text("rope_type").or(() -> fields.text("type")).orElse("default");
    if (type.equals("default")) {
      return null;
    }
    if (!type.equals("llama3")) {
      missing.add("rope type \"" + type + "\": only default and llama3 have a block");
      return new RopeScaling(
          type, fields.find("factor").map(JsonNode::asDouble).orElse(0.0), 0, 0, 0);
    }
    double low = required(fields, "low_freq_factor");
    double high = required(fields, "high_freq_factor");
    if (high <= low) {
      throw fields.bad("high_freq_factor", high, "more than low_freq_factor = " + low);
    }
    int original =
        fields
            .positive("original_max_position_embeddings")
            .or(() -> config.positive("original_max_position_embeddings"))
            .or(() -> config.positive("max_position_embeddings"))
            .orElseThrow(() -> fields.bad("original_max_position_embeddings", "nothing", "it"));
    return new RopeScaling(type, required(fields, "factor"), low, high, original);
  }

  private void partial(ConfigFields fields) {
    double turned = fields.number("partial_rotary_factor").orElse(1.0);
    if (turned != 1.0) {
      missing.add("partial_rotary_factor " + turned + ": only 1 has a block");
    }
  }

  private static double required(ConfigFields fields, String key) {
    return fields
        .number(key)
        .orElseThrow(() -> fields.bad(key, "nothing", "a number, as rope type llama3 needs it"));
  }
}
