package io.shardpress.schemas.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.json.StrictJson;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Brings the spellings of config.json together; see {@link ModelConfig} for what comes out. */
final class ConfigParser {
  private final ConfigFields root;
  private final ConfigFields config;
  private final List<String> missing = new ArrayList<>();

  ConfigParser(String file, byte[] json) {
    ObjectNode object = StrictJson.object(file, json);
    root = new ConfigFields(file, object);
    config = root.object("text_config").orElse(root);
  }

  ModelConfig parse() {
    String modelType = config.text("model_type").or(() -> root.text("model_type")).orElse("");
    Optional<Family> family = Family.of(modelType);
    if (family.isEmpty()) {
      missing.add(noBlock(modelType));
      return unknown(modelType);
    }
    return known(family.get(), modelType);
  }

  private ModelConfig known(Family family, String modelType) {
    int hidden = required("hidden_size");
    int heads = required("num_attention_heads");
    int kvHeads = config.positive("num_key_value_heads").orElse(heads);
    if (heads % kvHeads != 0) {
      throw config.bad(
          "num_key_value_heads", kvHeads, "a divisor of num_attention_heads = " + heads);
    }
    Optional<Integer> explicitHeadDim = config.positive("head_dim");
    if (explicitHeadDim.isEmpty() && hidden % heads != 0) {
      throw config.bad(
          "num_attention_heads", heads, "a divisor of hidden_size = " + hidden + ", or a head_dim");
    }
    int headDim = explicitHeadDim.orElseGet(() -> family.headDim(hidden, heads));
    if (headDim % 2 != 0) {
      throw config.bad("head_dim", headDim, "an even number, as rotary embeddings turn pairs");
    }
    if ((long) heads * headDim > Integer.MAX_VALUE) {
      throw config.bad("head_dim", headDim, "num_attention_heads · head_dim below 2^31");
    }
    int layers = required("num_hidden_layers");
    String act = config.text("hidden_act").orElse("silu");
    if (!act.equals("silu") && !act.equals("swish")) {
      missing.add("hidden_act \"" + act + "\": only silu has a block");
    }
    if (quantized()) {
      missing.add("quantization_config: the checkpoint is quantized already, decompress it first");
    }
    RopeFields rope = new RopeFields(config, missing);
    return new ModelConfig(
        modelType,
        architecture(),
        hidden,
        required("intermediate_size"),
        layers,
        heads,
        kvHeads,
        headDim,
        required("vocab_size"),
        config.positive("max_position_embeddings").orElse(2048),
        config.number("rms_norm_eps").orElse(1e-6),
        rope.theta(),
        rope.scaling(),
        new SlidingFields(config, missing).window(family, layers),
        family.qkvBias(config),
        family.oBias(config),
        family.mlpBias(config),
        family.qkNorm(),
        tied(),
        dtype(),
        act.equals("swish") ? "silu" : act,
        quantized(),
        missing);
  }

  /** Data-free methods take any model: nothing is required, and nothing is refused. */
  private ModelConfig unknown(String modelType) {
    return new ModelConfig(
        modelType,
        architecture(),
        lenient("hidden_size"),
        lenient("intermediate_size"),
        lenient("num_hidden_layers"),
        lenient("num_attention_heads"),
        lenient("num_key_value_heads"),
        lenient("head_dim"),
        lenient("vocab_size"),
        lenient("max_position_embeddings"),
        1e-6,
        10000,
        null,
        null,
        false,
        false,
        false,
        false,
        config.find("tie_word_embeddings").map(JsonNode::asBoolean).orElse(false),
        dtype(),
        config.find("hidden_act").map(JsonNode::asText).orElse(""),
        quantized(),
        missing);
  }

  private boolean quantized() {
    return root.find("quantization_config").isPresent()
        || config.find("quantization_config").isPresent();
  }

  private String noBlock(String modelType) {
    String known =
        Arrays.stream(Family.values())
            .map(family -> family.name().toLowerCase(Locale.ROOT))
            .collect(Collectors.joining(", "));
    return "model_type \"" + modelType + "\": no block for it (there are " + known + ")";
  }

  private String architecture() {
    return root.find("architectures").map(list -> list.path(0).asText()).orElse("");
  }

  private int required(String key) {
    return config
        .positive(key)
        .orElseThrow(() -> config.bad(key, "nothing", "a whole number from 1 on"));
  }

  private int lenient(String key) {
    return config
        .find(key)
        .filter(value -> value.canConvertToInt() && value.asInt() > 0)
        .map(JsonNode::asInt)
        .orElse(0);
  }

  /** A multimodal file says it at its top; Transformers reads both. */
  private boolean tied() {
    return config.flag("tie_word_embeddings", root.flag("tie_word_embeddings", false));
  }

  private String dtype() {
    for (ConfigFields fields : List.of(config, root)) {
      for (String key : List.of("dtype", "torch_dtype")) {
        Optional<String> text = fields.find(key).filter(JsonNode::isTextual).map(JsonNode::asText);
        if (text.isPresent()) {
          return text.get().startsWith("torch.") ? text.get().substring(6) : text.get();
        }
      }
    }
    return "float32";
  }
}
