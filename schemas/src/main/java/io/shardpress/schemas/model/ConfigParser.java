package io.shardpress.schemas.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.json.StrictJson;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Brings the spellings of config.json together; see {@link ModelConfig} for what comes out. */
final class ConfigParser {
  /** Far more than any model has: what is kept of each should follow from the file's length. */
  private static final int MOST_LAYERS = 10_000;

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
    int hidden = required(family, "hidden_size");
    int heads = required(family, "num_attention_heads");
    int kvHeads = kvHeads(family).orElse(heads);
    if (heads % kvHeads != 0) {
      throw config.bad(
          "num_key_value_heads", kvHeads, "a divisor of num_attention_heads = " + heads);
    }
    Optional<Integer> explicitHeadDim = size(family, "head_dim");
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
    int layers = required(family, "num_hidden_layers");
    if (layers > MOST_LAYERS) {
      throw config.bad("num_hidden_layers", layers, "at most " + MOST_LAYERS);
    }
    String act = family.activation(config);
    if (config.flag("use_bidirectional_attention", false)) {
      missing.add("use_bidirectional_attention: only causal attention has a block");
    }
    if (quantized()) {
      missing.add("quantization_config: the checkpoint is quantized already, decompress it first");
    }
    RopeFields rope = new RopeFields(config, family, missing);
    RopeScaling scaling = rope.scaling();
    int rotaryDim = rope.rotaryDim(headDim);
    RopeFields.check(config, scaling, rotaryDim);
    List<Integer> windows = new SlidingFields(config, missing).windows(family, layers);
    return new ModelConfig(
        modelType,
        architecture(),
        hidden,
        required(family, "intermediate_size"),
        layers,
        heads,
        kvHeads,
        headDim,
        required(family, "vocab_size"),
        config.positive("max_position_embeddings").orElse(family.maxPositionEmbeddings()),
        config.number("rms_norm_eps").orElse(family.rmsNormEps()),
        rope.theta(),
        scaling,
        windows.stream().filter(window -> window > 0).findFirst().orElse(null),
        family.qkvBias(config),
        family.oBias(config),
        family.mlpBias(config),
        family.qkNorm(),
        tied(family.gemma()),
        dtype(),
        act.equals("swish") ? "silu" : act,
        quantized(),
        windows,
        rope.localTheta(),
        rotaryDim,
        family.traits(config, headDim, activation(act)),
        new ExpertFields(config).experts(family, layers).orElse(null),
        missing);
  }

  private BlockTraits.Activation activation(String act) {
    return switch (act) {
      case "silu", "swish" -> BlockTraits.Activation.SILU;
      case "gelu_pytorch_tanh", "gelu_new" -> BlockTraits.Activation.GELU_TANH;
      default -> {
        missing.add("hidden_act \"" + act + "\": only silu and gelu_pytorch_tanh have a block");
        yield BlockTraits.Activation.SILU;
      }
    };
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
        List.of(),
        0,
        0,
        null,
        null,
        missing);
  }

  private boolean quantized() {
    return root.find("quantization_config").isPresent()
        || config.find("quantization_config").isPresent();
  }

  private String noBlock(String modelType) {
    String known =
        Arrays.stream(Family.values()).map(Family::modelType).collect(Collectors.joining(", "));
    return "model_type \"" + modelType + "\": no block for it (there are " + known + ")";
  }

  private String architecture() {
    return root.find("architectures").map(list -> list.path(0).asText()).orElse("");
  }

  /** What the file has, or the class where Transformers leaves such keys out. */
  private Optional<Integer> size(Family family, String key) {
    boolean differences = family.gemma() || config != root;
    return config
        .positive(key)
        .or(() -> differences ? ClassSizes.of(family, key) : Optional.empty());
  }

  /** Empty for as many as query heads, which null stands for; the class may have another number. */
  private Optional<Integer> kvHeads(Family family) {
    String key = "num_key_value_heads";
    boolean same = config.has(key) && !family.gemma();
    return config.positive(key).or(() -> same ? Optional.empty() : ClassSizes.of(family, key));
  }

  private int required(Family family, String key) {
    return size(family, key)
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
  private boolean tied(boolean otherwise) {
    return config.flag("tie_word_embeddings", root.flag("tie_word_embeddings", otherwise));
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
