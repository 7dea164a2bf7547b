package io.shardpress.spark.output.gguf;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.kernels.nn.RopeFrequencies;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.gguf.GgufNames;
import io.shardpress.schemas.gguf.GgufScheme;
import io.shardpress.schemas.gguf.GgufTensor;
import io.shardpress.schemas.gguf.GgufType;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.RopeScaling;
import io.shardpress.schemas.model.TensorPlace;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.plan.PlanEntry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;

/** What becomes of a model's tensors in GGUF. */
final class GgufItems {
  private static final int MATRIX = 2;

  /**
   * What makes a language model's inputs of pictures; llama.cpp has it in files of another kind.
   */
  private static final Pattern SEEING =
      Pattern.compile("(model\\.)?(vision_tower|multi_modal_projector)\\..*");

  private final ModelConfig config;
  private final OutputChoice outputs;
  private final Function<String, CheckpointException> refused;
  private final Map<String, Integer> staying = new TreeMap<>();
  private int seeing;

  /**
   * @param refused makes the exception of a reason
   */
  GgufItems(
      ModelConfig config, OutputChoice outputs, Function<String, CheckpointException> refused) {
    this.config = config;
    this.outputs = outputs;
    this.refused = refused;
  }

  /** Those of the model's tensors in their order; experts stand where the first of them stands. */
  List<GgufItem> of(List<PlanEntry> entries) {
    List<GgufItem> items = new ArrayList<>(ropeFactors());
    Map<String, PlanEntry[]> experts = new LinkedHashMap<>();
    for (PlanEntry entry : entries) {
      if (entry.action() == Action.DROP) {
        continue;
      }
      TensorPlace place = TensorPlace.of(entry.tensor().tensor());
      if (SEEING.matcher(entry.tensor().tensor()).matches()) {
        seeing++;
        continue;
      }
      if (needless(place)) {
        continue;
      }
      String name = name(entry, place);
      if (GgufNames.expert(place).isEmpty()) {
        items.add(item(name, entry, place));
        continue;
      }
      PlanEntry[] all = experts.get(name);
      if (all == null) {
        all = new PlanEntry[config.experts().count()];
        experts.put(name, all);
        // Its place, until all of them are known.
        items.add(null);
      }
      int expert = GgufNames.expert(place).getAsInt();
      if (expert >= all.length) {
        throw refused.apply(
            String.format(
                Locale.ROOT,
                "there is a tensor %s, but config.json has %d experts",
                entry.tensor().tensor(),
                all.length));
      }
      all[expert] = entry;
    }
    var stacks = experts.entrySet().iterator();
    items.replaceAll(
        item -> {
          if (item != null) {
            return item;
          }
          Map.Entry<String, PlanEntry[]> stack = stacks.next();
          return stacked(stack.getKey(), Arrays.asList(stack.getValue()));
        });
    return items;
  }

  /** What is left out, and what stays as it is because a type does not divide its rows. */
  List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    if (seeing > 0) {
      warnings.add(
          String.format(
              Locale.ROOT,
              "GGUF holds the language model alone, without the %d tensors of vision_tower and"
                  + " multi_modal_projector",
              seeing));
    }
    staying.forEach((line, count) -> warnings.add(count + " x " + line));
    return warnings;
  }

  /** What llama.cpp divides frequencies by, where it is no key. */
  private List<GgufItem> ropeFactors() {
    RopeScaling scaling = config.ropeScaling();
    if (scaling == null) {
      return List.of();
    }
    if (scaling.type().equals("longrope")) {
      return List.of(
          numbers(
              GgufNames.LONG_FACTORS,
              scaling.longFactors().stream().map(Double::floatValue).toList()),
          numbers(
              GgufNames.SHORT_FACTORS,
              scaling.shortFactors().stream().map(Double::floatValue).toList()));
    }
    boolean divides = scaling.type().equals("llama3") || scaling.type().equals("linear");
    return divides && GgufNames.hasRopeFrequencies(config)
        ? List.of(
            numbers(
                GgufNames.ROPE_FREQUENCIES,
                Arrays.stream(RopeFrequencies.divisors(config))
                    .mapToObj(divisor -> (float) divisor)
                    .toList()))
        : List.of();
  }

  private static GgufItem numbers(String name, List<Float> numbers) {
    return new GgufItem(
        new GgufTensor(name, GgufType.F32, List.of((long) numbers.size())), numbers);
  }

  /** A head beside an embedding that config.json ties it to; frequencies, which follow from it. */
  private boolean needless(TensorPlace place) {
    return (config.tieWordEmbeddings() && place.role().equals("lm_head"))
        || place.role().endsWith("rotary_emb.inv_freq");
  }

  private String name(PlanEntry entry, TensorPlace place) {
    return GgufNames.tensor(config, place)
        .orElseThrow(
            () ->
                refused.apply(
                    "tensor " + entry.tensor().tensor() + " has no place in this architecture"));
  }

  private GgufItem item(String name, PlanEntry entry, TensorPlace place) {
    List<Long> shape = entry.tensor().shape();
    int headDim = GgufNames.turnsNeighbours(config, place) ? config.headDim() : 0;
    if (GgufNames.routes(name) && shape.get(0) == 1) {
      // The gate of the shared expert, a row alone.
      shape = shape.subList(1, shape.size());
    }
    return new GgufItem(
        new GgufTensor(name, type(name, entry), shape),
        List.of(entry.tensor().tensor()),
        headDim,
        GgufNames.holdsOnePlus(config, name),
        List.of());
  }

  /** Experts in one tensor, which has one type. */
  private GgufItem stacked(String name, List<PlanEntry> experts) {
    if (experts.contains(null)) {
      throw refused.apply(
          String.format(
              Locale.ROOT,
              "tensor %s there wants %d experts, but there is none of number %d",
              name,
              experts.size(),
              experts.indexOf(null)));
    }
    PlanEntry first = experts.get(0);
    GgufType type = type(name, first);
    for (PlanEntry expert : experts) {
      GgufType other = type(name, expert);
      if (other != type) {
        throw refused.apply(
            "tensor %s is %s there and tensor %s is %s, but llama.cpp has all experts of a block in one tensor; give them one scheme"
                .formatted(first.tensor().tensor(), type, expert.tensor().tensor(), other));
      }
    }
    List<Long> shape = new ArrayList<>(first.tensor().shape());
    shape.add(0, (long) experts.size());
    return new GgufItem(
        new GgufTensor(name, type, shape),
        experts.stream().map(expert -> expert.tensor().tensor()).toList(),
        0,
        false,
        List.of());
  }

  private GgufType type(String name, PlanEntry entry) {
    if (entry.action() != Action.QUANTIZE) {
      return unchanged(name, entry.tensor());
    }
    if (GgufNames.routes(name)) {
      throw refused.apply(
          "tensor "
              + entry.tensor().tensor()
              + " is a router, of which llama.cpp wants F32; add it to ignore");
    }
    GgufScheme scheme = GgufScheme.of(entry.choice().group(), entry.in());
    if (scheme.type() == null) {
      throw refused.apply(
          "tensor "
              + entry.tensor().tensor()
              + ", "
              + entry.choice().group().schemeName()
              + ": "
              + scheme.refusal());
    }
    return scheme.type();
  }

  private GgufType unchanged(String name, TensorRef tensor) {
    if (!FloatBytes.handles(tensor.dtype())) {
      throw refused.apply(
          "tensor %s is %s, wanted F32, F16 or BF16".formatted(tensor.tensor(), tensor.dtype()));
    }
    // Norms, biases and routers, which llama.cpp adds to and multiplies with f32.
    if (tensor.shape().size() < MATRIX || GgufNames.routes(name)) {
      return GgufType.F32;
    }
    GgufType own = GgufType.valueOf(tensor.dtype().name());
    GgufType asked = outputs.ggufType().orElse(own);
    if (!asked.divides(tensor.columns())) {
      // Blocks differ in their number alone, and share a line; so do experts.
      staying.merge(
          String.format(
              Locale.ROOT,
              "%s: %s in GGUF as in the model, rows of %d do not split into blocks of %s",
              tensor.tensor().replaceAll("\\.\\d+\\.", ".*."),
              own,
              tensor.columns(),
              asked),
          1,
          Integer::sum);
      return own;
    }
    return asked;
  }
}
