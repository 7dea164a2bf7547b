package io.shardpress.spark.learn.endtoend;

import io.shardpress.kernels.learn.HiddenStates;
import io.shardpress.kernels.learn.LinearGradient;
import io.shardpress.kernels.learn.NormScales;
import io.shardpress.kernels.learn.SparseLatents;
import io.shardpress.kernels.nn.BackwardObserver;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockGradients;
import io.shardpress.kernels.nn.BlockNorm;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.HeadGradient;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.nn.StageGradients;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Takes some windows through the quantized model as a state has it, and back. One block's weights
 * are in memory at a time; of all blocks the inputs are.
 */
final class TunedPass {
  private final TunedModel model;
  private final List<PartKey> states;
  private final List<Integer> windows;
  private final TaskEnvironment environment;
  private final int rows;
  private final int size;

  /**
   * @param states of the blocks, and of the head behind them; empty before the first step
   */
  TunedPass(
      TunedModel model, List<PartKey> states, List<Integer> windows, TaskEnvironment environment) {
    this.model = model;
    this.states = states;
    this.windows = windows;
    this.environment = environment;
    rows = windows.size() * model.window();
    size = model.window() * model.hidden();
  }

  /** The state of a block, or behind the last of the head. */
  private TuneState state(int block) {
    return TuneState.read(environment.store(), states.isEmpty() ? null : states.get(block), false);
  }

  private TunedBlock block(int number) {
    return new TunedBlock(model, number, state(number), environment);
  }

  /** Σ KL(full ‖ quantized) over all positions that predict a token of their window. */
  double loss() {
    List<float[]> inputs = forward(false);
    return divergence(inputs.get(0), 1, null, null);
  }

  /** What a pass there and back gives. */
  interface Gradients {
    /** Of a block, or with the number behind the last, of the head: by names of states. */
    void of(int block, Map<String, float[]> gradients);
  }

  /**
   * Gradients of weight·Σ KL, and of the residual streams' distances, last block first.
   *
   * @param weight of a position
   * @param share of the batch that these windows are
   * @return Σ KL, not weighted
   */
  double gradients(double weight, double share, Gradients to) {
    List<float[]> inputs = forward(true);
    int layers = model.blocks().size();
    float[] dy = new float[rows * model.hidden()];
    double[] dNorm = new double[model.hidden()];
    double loss = divergence(inputs.get(layers), weight, dy, dNorm);
    to.of(
        layers,
        Map.of(TuneState.name(TuneSteps.FINAL_NORM), NormScales.gradient(dNorm, finalNorm())));
    for (int number = layers - 1; number >= 0; number--) {
      distance(number, share, inputs.get(number + 1), dy);
      inputs.set(number + 1, null);
      to.of(number, backward(number, inputs.get(number), dy));
    }
    return loss;
  }

  /** Adds the gradient of a block's distance from full precision to that of its output. */
  private void distance(int number, double share, float[] output, float[] dy) {
    if (model.hiddenStates() == 0) {
      return;
    }
    float[] wanted = model.read(environment, model.full().get(number), windows);
    double factor =
        model.hiddenStates()
            * share
            / ((double) model.blocks().size() * wanted.length * HiddenStates.variance(wanted));
    if (Double.isFinite(factor)) {
      HiddenStates.add(output, wanted, wanted.length, factor, dy);
    }
  }

  /** The blocks' inputs and the last output, or that alone. */
  private List<float[]> forward(boolean keep) {
    List<float[]> inputs = new ArrayList<>();
    float[] x = model.read(environment, model.embedded(), windows);
    for (int number = 0; number < model.blocks().size(); number++) {
      environment.checkpoint();
      if (keep) {
        inputs.add(x.clone());
      }
      TunedBlock block = block(number);
      forEachBatch(
          number,
          x,
          (decoder, a, first, count) -> {
            run(decoder, block.weights(), a, count);
            System.arraycopy(a.output(), 0, x, first * size, count * size);
          });
    }
    inputs.add(x);
    return inputs;
  }

  /** Some windows of a batch that go through a block at once. */
  private interface Batch {
    void run(DecoderBlock decoder, BlockActivations a, int first, int count);
  }

  private void forEachBatch(int number, float[] x, Batch batch) {
    BlockShape shape = model.blocks().get(number).spec().shape();
    int most = Batches.windows(shape, model.window(), windows.size());
    DecoderBlock decoder = new DecoderBlock(shape, model.window(), environment.matmul());
    BlockActivations a = new BlockActivations(shape, most * model.window());
    for (int first = 0; first < windows.size(); first += most) {
      int count = Math.min(most, windows.size() - first);
      System.arraycopy(x, first * size, a.input(), 0, count * size);
      batch.run(decoder, a, first, count);
    }
  }

  private void run(DecoderBlock decoder, BlockWeights weights, BlockActivations a, int count) {
    decoder.begin(weights, count * model.window(), a, environment.workers());
    for (Stage site : Stage.values()) {
      decoder.run(site, weights, a, environment.workers());
    }
  }

  /** Gradients of a block; dy becomes that of its input. */
  private Map<String, float[]> backward(int number, float[] input, float[] dy) {
    environment.checkpoint();
    BlockShape shape = model.blocks().get(number).spec().shape();
    TunedBlock block = block(number);
    Sums sums = new Sums(block);
    int most = Batches.windows(shape, model.window(), windows.size());
    BlockGradients room = new BlockGradients(shape, most * model.window());
    float[] part = new float[most * size];
    float[] dx = new float[most * size];
    forEachBatch(
        number,
        input,
        (decoder, a, first, count) -> {
          run(decoder, block.weights(), a, count);
          System.arraycopy(dy, first * size, part, 0, count * size);
          decoder.backward(block.weights(), a, part, dx, room, sums, environment.workers());
          System.arraycopy(dx, 0, dy, first * size, count * size);
        });
    return sums.gradients();
  }

  /** The final norm as the state has it. */
  private float[] finalNorm() {
    TensorRef stored = model.head().norm();
    float offset = model.head().normFromOne() ? 1 : 0;
    float[] start = model.head().readNorm(environment);
    float[] logs = state(model.blocks().size()).norm(TuneSteps.FINAL_NORM);
    return TunedBlock.tuned(start, logs, offset, stored.dtype());
  }

  private double divergence(float[] x, double weight, float[] dx, double[] dNorm) {
    HeadGradient.Batch mine =
        new HeadGradient.Batch(
            x, rows, model.window(), finalNorm(), model.head().rows(environment));
    HeadGradient.Batch wanted =
        new HeadGradient.Batch(
            model.read(environment, model.last(), windows),
            rows,
            model.window(),
            model.head().readNorm(environment),
            model.head().rows(environment));
    return model
        .head()
        .gradient(environment)
        .divergence(mine, wanted, weight, dx, dNorm, environment.workers());
  }

  /** Sums over the batches of what a block's backward passes find. */
  private final class Sums implements BackwardObserver {
    private final TunedBlock block;
    private final Map<LinearRole, LinearGradient> linears = new TreeMap<>();
    private final Map<LinearRole, SparseLatents> latents = new TreeMap<>();
    private final Map<BlockNorm, double[]> norms = new EnumMap<>(BlockNorm.class);

    Sums(TunedBlock block) {
      this.block = block;
    }

    @Override
    public void stage(StageGradients stage, Workers workers) {
      for (StageGradients.Part part : stage.parts()) {
        LinearRole role = part.role();
        if (block.tunes(role)) {
          QuantizedLinear linear = block.linear(role);
          linears
              .computeIfAbsent(role, r -> LinearGradient.none(linear, latents(r), false))
              .add(
                  stage,
                  part,
                  linear,
                  latents(role),
                  block.weights().biases().get(role),
                  environment.matmul(),
                  workers);
        }
      }
    }

    /** Of this pass, in which nothing changes them. */
    private SparseLatents latents(LinearRole role) {
      return latents.computeIfAbsent(role, block::latents);
    }

    @Override
    public boolean norms() {
      return true;
    }

    @Override
    public void norm(BlockNorm norm, double[] gradient) {
      double[] sum = norms.computeIfAbsent(norm, n -> new double[gradient.length]);
      Arrays.setAll(sum, i -> sum[i] + gradient[i]);
    }

    Map<String, float[]> gradients() {
      Map<String, float[]> all = new TreeMap<>();
      linears.forEach(
          (role, sum) -> {
            all.put(TuneState.name(role), narrow(sum.logScales()));
            if (sum.latents().length > 0) {
              all.put(TuneState.latents(role), narrow(sum.latents()));
            }
          });
      Map<BlockNorm, float[]> weights = TunedBlock.norms(block.weights());
      norms.forEach(
          (norm, sum) ->
              all.put(TuneState.name(norm.name()), NormScales.gradient(sum, weights.get(norm))));
      return all;
    }

    private float[] narrow(double[] sum) {
      float[] values = new float[sum.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) sum[i];
      }
      return values;
    }
  }
}
