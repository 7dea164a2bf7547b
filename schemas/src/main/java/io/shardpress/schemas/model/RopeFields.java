package io.shardpress.schemas.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Rotary embeddings in config.json. Transformers 5: rope_parameters {rope_type, rope_theta, …}, of
 * Gemma 3 one for each layer type; before: rope_theta beside rope_scaling {rope_type, or type in
 * older files, …}, with Gemma 3 rope_local_base_freq.
 */
final class RopeFields {
  private static final double DEFAULT_LOCAL_THETA = 10_000;

  private final ConfigFields config;
  private final Family family;
  private final Optional<ConfigFields> parameters;
  private final Optional<ConfigFields> local;
  private final List<String> missing;

  RopeFields(ConfigFields config, Family family, List<String> missing) {
    this.config = config;
    this.family = family;
    this.missing = missing;
    Optional<ConfigFields> found = config.object("rope_parameters");
    Optional<ConfigFields> all = found.isPresent() ? found : config.object("rope_scaling");
    if (family == Family.GEMMA3) {
      Optional<ConfigFields> full = all.flatMap(fields -> fields.object("full_attention"));
      this.parameters = full.isPresent() ? full : all;
      this.local = all.flatMap(fields -> fields.object("sliding_attention"));
    } else {
      this.parameters = all;
      this.local = Optional.empty();
    }
  }

  double theta() {
    return parameters
        .flatMap(fields -> fields.number("rope_theta"))
        .or(() -> config.number("rope_theta"))
        .orElse(family.ropeTheta());
  }

  /** The base in layers that slide, 0 where it is the same. */
  double localTheta() {
    if (family != Family.GEMMA3) {
      return 0;
    }
    local.ifPresent(
        fields -> {
          String type = type(fields);
          if (!type.equals("default")) {
            missing.add("rope type \"" + type + "\" in sliding layers: only default has a block");
          }
        });
    return local
        .flatMap(fields -> fields.number("rope_theta"))
        .or(() -> config.number("rope_local_base_freq"))
        .orElse(DEFAULT_LOCAL_THETA);
  }

  /** How many elements of a head are rotated. */
  int rotaryDim(int headDim) {
    double share =
        parameters
            .flatMap(fields -> fields.number("partial_rotary_factor"))
            .or(() -> config.number("partial_rotary_factor"))
            .orElse(1.0);
    if (share == 1) {
      return headDim;
    }
    if (family != Family.PHI3) {
      missing.add("partial_rotary_factor " + share + ": only 1 has a block");
      return headDim;
    }
    int rotated = (int) (headDim * share);
    if (share > 1 || rotated < 2 || rotated % 2 != 0) {
      throw config.bad(
          "partial_rotary_factor",
          share,
          "a share of head_dim = " + headDim + " that is an even number of elements");
    }
    return rotated;
  }

  /** The scaling, or null; a type that has no block here is noted as missing. */
  RopeScaling scaling() {
    if (parameters.isEmpty()) {
      return null;
    }
    ConfigFields fields = parameters.get();
    if (fields.find("full_attention").isPresent() || fields.find("sliding_attention").isPresent()) {
      missing.add("rope_parameters per layer type: no block for it");
      return null;
    }
    String type = type(fields);
    return switch (type) {
      case "default" -> null;
      case "linear" -> new RopeScaling(type, required(fields, "factor"), 0, 0, 0);
      case "llama3" -> llama3(fields);
      case "longrope" -> longrope(fields);
      default -> {
        missing.add("rope type \"" + type + "\": only default, linear and llama3 have a block");
        yield new RopeScaling(
            type, fields.find("factor").map(JsonNode::asDouble).orElse(0.0), 0, 0, 0);
      }
    };
  }

  /** Phi-3's files call longrope su in older ones, and once yarn. */
  private String type(ConfigFields fields) {
    String type = fields.text("rope_type").or(() -> fields.text("type")).orElse("default");
    boolean older = family == Family.PHI3 && (type.equals("su") || type.equals("yarn"));
    return older ? "longrope" : type;
  }

  private RopeScaling llama3(ConfigFields fields) {
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
    return new RopeScaling("llama3", required(fields, "factor"), low, high, original);
  }

  /**
   * Phi-3's (arXiv 2402.13753): with a factor f = positions / original ones, what is rotated is
   * multiplied by √(1 + ln f / ln original).
   */
  private RopeScaling longrope(ConfigFields fields) {
    if (family != Family.PHI3) {
      missing.add("rope type \"longrope\": only of phi3");
      return new RopeScaling("longrope", 0, 0, 0, 0);
    }
    int positions =
        config.positive("max_position_embeddings").orElse(family.maxPositionEmbeddings());
    int original =
        config
            .positive("original_max_position_embeddings")
            .or(() -> fields.positive("original_max_position_embeddings"))
            .orElse(family.maxPositionEmbeddings());
    double factor = (double) positions / original;
    double magnitude =
        fields
            .number("attention_factor")
            .orElse(
                factor <= 1 ? 1 : Math.sqrt(1 + StrictMath.log(factor) / StrictMath.log(original)));
    return new RopeScaling(
        "longrope",
        factor,
        0,
        0,
        original,
        factors(fields, "short_factor"),
        factors(fields, "long_factor"),
        magnitude);
  }

  /** Holds longrope's lists against the elements that are rotated. */
  static void check(ConfigFields config, RopeScaling scaling, int rotaryDim) {
    if (scaling != null && scaling.type().equals("longrope") && scaling.factor() > 0) {
      for (List<Double> factors : List.of(scaling.shortFactors(), scaling.longFactors())) {
        if (factors.size() != rotaryDim / 2) {
          throw config.bad(
              "rope_scaling",
              factors.size() + " factors",
              rotaryDim / 2 + ", one for each frequency");
        }
      }
    }
  }

  private static List<Double> factors(ConfigFields fields, String key) {
    JsonNode list = fields.find(key).orElseThrow(() -> fields.bad(key, "nothing", "a list"));
    List<Double> factors = new ArrayList<>();
    for (JsonNode factor : list) {
      if (!factor.isNumber() || !(factor.asDouble() > 0) || Double.isInfinite(factor.asDouble())) {
        throw fields.bad(key, factor, "finite numbers above 0");
      }
      factors.add(factor.asDouble());
    }
    return factors;
  }

  private static double required(ConfigFields fields, String key) {
    return fields
        .number(key)
        .orElseThrow(() -> fields.bad(key, "nothing", "a number, as the rope type needs it"));
  }
}
