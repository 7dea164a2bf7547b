package io.shardpress.spark.learn.transform;

import io.shardpress.kernels.learn.Awq;
import io.shardpress.kernels.learn.AwqClip;
import io.shardpress.kernels.learn.ChannelScales;
import io.shardpress.kernels.linalg.SymmetricRank;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.MixtureWeights;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.AwqSettings;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.LazyExperts;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.SamplePartition;
import io.shardpress.spark.sweep.WindowReader;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Scales a block's weights by AWQ: for each stage the exponent whose rounded weights change the
 * inspected module's output least, which is attention for q, k and v, the feed-forward for gate and
 * up, and o and down by themselves. Then, if asked for, ranges are searched.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param observed magnitudes of the stages' inputs, a part for each sample partition
 * @param inputs the block's inputs in full precision, likewise
 * @param stages of which the inputs are scaled
 * @param schemes of the linears that will be quantized
 */
public record AwqStep(
    String arithmetic,
    BlockSpec spec,
    List<PartKey> observed,
    List<PartKey> inputs,
    Set<Stage> stages,
    Map<LinearRole, WeightScheme> schemes,
    ScaleFormat format,
    AwqSettings settings,
    List<SamplePartition> samples,
    int window)
    implements Step {
  // Tokens that losses are taken over, and elements of the widest activation of them.
  private static final int MOST_TOKENS = 1 << 14;
  private static final int MOST_ELEMENTS = 1 << 26;
  private static final StepKind KIND = new StepKind("awq", 1);

  public AwqStep {
    observed = List.copyOf(observed);
    inputs = List.copyOf(inputs);
    stages = Collections.unmodifiableSet(new LinkedHashSet<>(stages));
    schemes = Collections.unmodifiableMap(new LinkedHashMap<>(schemes));
    samples = List.copyOf(samples);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.tensors(spec.tensors()).and(Reads.parts(inputs));
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = spec.shape();
    BlockWeights original = spec.load(environment.reader());
    FoldedBlock folded =
        new FoldedBlock(spec, spec.load(environment.reader()), environment.reader());
    DecoderBlock block = new DecoderBlock(shape, window, environment.matmul());
    int windows = windows(shape);
    int rows = windows * window;
    BlockActivations a = new BlockActivations(shape, rows);
    fill(environment, windows, a.input());
    block.forward(original, rows, a, environment.workers());
    float[] middle = a.middle().clone();
    float[] output = a.output().clone();
    Map<Stage, ChannelScales> chosen = new EnumMap<>(Stage.class);
    for (Stage stage : Stage.values()) {
      if (stages.contains(stage)) {
        chosen.put(
            stage, search(stage, block, original, folded, a, rows, middle, output, environment));
      }
    }
    chosen.forEach(folded::fold);
    if (settings.clip()) {
      block.forward(original, rows, a, environment.workers());
      for (Stage stage : Stage.values()) {
        if (!clips(stage)) {
          continue;
        }
        float[] moments = moments(stage, a.stageInput(stage), rows, environment);
        clip(stage, folded, chosen.get(stage), moments, environment);
      }
    }
    folded.write(environment, part(), schemes.keySet());
  }

  /** Whether a linear of a stage has its ranges searched: experts' have not. */
  private boolean clips(Stage stage) {
    return schemes.keySet().stream().anyMatch(role -> Stage.of(role) == stage && clips(role));
  }

  private static boolean clips(LinearRole role) {
    return role.expert() == LinearRole.NONE && AwqClip.takes(role);
  }

  private ChannelScales search(
      Stage stage,
      DecoderBlock block,
      BlockWeights original,
      FoldedBlock folded,
      BlockActivations a,
      int rows,
      float[] middle,
      float[] output,
      TaskEnvironment environment) {
    // The activations stand as the original block left them up to this stage's inputs: a search
    // of an earlier stage has overwritten what follows it.
    block.forward(original, rows, a, environment.workers());
    float[] meanAbs = MagnitudesObserver.read(environment.store(), observed, stage).meanAbs();
    boolean attention = stage == Stage.QKV || stage == Stage.O;
    Awq.Loss loss =
        wanted -> {
          ChannelScales scales = folded.storable(stage, wanted);
          BlockWeights rounded = rounded(stage, original, scales);
          switch (stage) {
            case QKV -> {
              block.begin(rounded, rows, a, environment.workers());
              block.run(Stage.QKV, rounded, a, environment.workers());
              block.run(Stage.O, rounded, a, environment.workers());
            }
            case GATE_UP -> {
              block.run(Stage.GATE_UP, rounded, a, environment.workers());
              block.run(Stage.DOWN, rounded, a, environment.workers());
            }
            default -> block.run(stage, rounded, a, environment.workers());
          }
          return attention ? distance(a.middle(), middle) : distance(a.output(), output);
        };
    return folded.storable(stage, Awq.search(meanAbs, settings.grid(), loss).scales());
  }

  /** The block with a stage's linears as Q(W·s)/s. */
  private BlockWeights rounded(Stage stage, BlockWeights original, ChannelScales scales) {
    Map<LinearRole, float[]> rounded = new TreeMap<>();
    for (LinearRole role : spec.shape().linears(stage)) {
      if (schemes.containsKey(role) && role.expert() == LinearRole.NONE) {
        rounded.put(role, rounded(role, original.linear(role).clone(), scales));
      }
    }
    MixtureWeights experts = original.mixture();
    BlockWeights block = original.with(rounded);
    return experts == null || stage != Stage.GATE_UP
        ? block
        : block.with(
            new LazyExperts(
                experts.router(),
                experts.sharedGate(),
                number -> rounded(experts.expert(number), number, scales)));
  }

  /** An expert with gate and up rounded; its arrays are nobody else's. */
  private MixtureWeights.Expert rounded(
      MixtureWeights.Expert expert, int number, ChannelScales scales) {
    List<LinearRole> roles = LinearRole.ofExpert(number);
    return new MixtureWeights.Expert(
        rounded(roles.get(0), expert.gate(), scales),
        rounded(roles.get(1), expert.up(), scales),
        expert.down());
  }

  private float[] rounded(LinearRole role, float[] w, ChannelScales scales) {
    if (schemes.containsKey(role)) {
      int out = spec.shape().out(role);
      scales.scaleColumns(w, out);
      RoundToNearest.quantize(w, out, scales.in(), schemes.get(role), format, new MinMax())
          .dequantize(w);
      scales.unscaleColumns(w, out);
    }
    return w;
  }

  private void clip(
      Stage stage,
      FoldedBlock folded,
      ChannelScales scales,
      float[] moments,
      TaskEnvironment environment) {
    if (scales != null) {
      scales.unscaleMoments(moments);
    }
    for (LinearRole role : spec.shape().linears(stage)) {
      if (schemes.containsKey(role) && clips(role)) {
        int out = spec.shape().out(role);
        int in = spec.shape().in(role);
        AwqClip clip = new AwqClip(schemes.get(role), format, environment.matmul());
        float[] w = folded.linear(role);
        clip.apply(w, out, in, clip.limits(w, out, in, moments, environment.workers()));
      }
    }
  }

  private float[] moments(Stage stage, float[] x, int rows, TaskEnvironment environment) {
    int in = spec.shape().in(stage);
    float[] h = new float[in * in];
    SymmetricRank.accumulate(environment.matmul(), x, 0, rows, in, h, environment.workers());
    return h;
  }

  /** How many windows the losses are taken over: by size, so that it is the same everywhere. */
  private int windows(BlockShape shape) {
    int all = samples.get(samples.size() - 1).first() + samples.get(samples.size() - 1).count();
    long widest = Math.max(shape.ffn(), Math.max(shape.hidden(), shape.queryWidth()));
    long tokens = Math.min(MOST_TOKENS, MOST_ELEMENTS / widest);
    return (int) Math.max(1, Math.min(all, tokens / window));
  }

  /** Windows spread evenly over the text. */
  private void fill(TaskEnvironment environment, int windows, float[] into) {
    int all = samples.get(samples.size() - 1).first() + samples.get(samples.size() - 1).count();
    int size = window * spec.shape().hidden();
    try (WindowReader reader = new WindowReader(environment.store(), inputs, samples)) {
      for (int i = 0; i < windows; i++) {
        reader.read((int) ((long) i * all / windows), into, i * size);
      }
    }
  }

  private static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = (double) a[i] - b[i];
      sum += difference * difference;
    }
    return sum;
  }
}
