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

  /**
   * Turns in the original length from which YaRN leaves a frequency, and up to which it divides.
   */
  private static final double BETA_FAST = 32;

  private static final double BETA_SLOW = 1;

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
      case "yarn" -> yarn(fields);
      case "dynamic" ->
          new RopeScaling(type, atLeastOne(fields, "factor"), 0, 0, originalPositions(fields));
      default -> {
        missing.add(
            "rope type \""
                + type
                + "\": only default, linear, dynamic, yarn and llama3 have a block");
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
    int original = originalPositions(fields);
    return new RopeScaling("llama3", required(fields, "factor"), low, high, original);
  }

  private int originalPositions(ConfigFields fields) {
    return fields
        .positive("original_max_position_embeddings")
        .or(() -> config.positive("original_max_position_embeddings"))
        .or(() -> config.positive("max_position_embeddings"))
        .orElseThrow(() -> fields.bad("original_max_position_embeddings", "nothing", "it"));
  }

  /**
   * YaRN (arXiv 2309.00071), as Transformers reads it: what is rotated is multiplied by
   * attention_factor, else by m(mscale)/m(mscale_all_dim) where both are there, else by m(1), with
   * m(s) = 0.1·s·ln(factor) + 1.
   */
  private RopeScaling yarn(ConfigFields fields) {
    double factor = atLeastOne(fields, "factor");
    double fast = fields.number("beta_fast").filter(turns -> turns != 0).orElse(BETA_FAST);
    double slow = fields.number("beta_slow").filter(turns -> turns != 0).orElse(BETA_SLOW);
    if (slow <= 0 || fast < slow) {
      throw fields.bad("beta_slow", slow, "more than 0 and at most beta_fast = " + fast);
    }
    double all = fields.number("mscale_all_dim").orElse(0.0);
    double one = fields.number("mscale").orElse(0.0);
    boolean both = all != 0 && one != 0;
    double standard = both ? magnitude(factor, one) / magnitude(factor, all) : magnitude(factor, 1);
    double magnitude = fields.number("attention_factor").orElse(standard);
    if (!(magnitude > 0)) {
      throw fields.bad("attention_factor", magnitude, "a number above 0");
    }
    return new RopeScaling(
        "yarn",
        factor,
        slow,
        fast,
        originalPositions(fields),
        List.of(),
        List.of(),
        magnitude,
        fields.flag("truncate", true));
  }

  private static double magnitude(double factor, double scale) {
    return factor <= 1 ? 1 : 0.1 * scale * StrictMath.log(factor) + 1;
  }

  private static double atLeastOne(ConfigFields fields, String key) {
    double value = required(fields, key);
    if (value < 1) {
      throw fields.bad(key, value, "at least 1");
    }
    return value;
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
        magnitude,
        false);
  }

  /** Holds longrope's lists against the elements that are rotated. */
  static void check(ConfigFields config, RopeScaling scaling, int rotaryDim) {
    if (scaling != null && scaling.type().equals("dynamic") && rotaryDim < 4) {
      throw config.bad(
          "rope_scaling", "dynamic", "another type where " + rotaryDim + " elements are rotated");
    }
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
