package io.shardpress.kernels.bench;

import io.shardpress.kernels.learn.AutoRoundLinear;
import io.shardpress.kernels.learn.FlexRoundLinear;
import io.shardpress.kernels.learn.LrqLinear;
import io.shardpress.kernels.learn.TrainableLinear;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.recipe.WeightScheme;
import java.lang.reflect.Proxy;
import java.util.function.Function;

/**
 * A trainable linear's own passes over one weight on one thread: Ŵ, all parameters' gradients, the
 * optimizer. LRQ's three products of rank k are left out by a {@link Matmul} that does nothing. To
 * compare with: a plain copy of the weight.
 */
final class LinearPassBench implements Benchmark {
  private static final int OUT = 2048;
  private static final int IN = 5632;
  private static final int RANK = 512;
  private static final WeightScheme SCHEME = new WeightScheme(4, false, 128);

  private final Function<float[], TrainableLinear> kind;

  /**
   * @param kind makes the linear of a weight [OUT×IN]
   */
  private LinearPassBench(Function<float[], TrainableLinear> kind) {
    this.kind = kind;
  }

  static LinearPassBench lrq() {
    return new LinearPassBench(
        w ->
            new LrqLinear(
                w,
                OUT,
                IN,
                SCHEME,
                steps(w),
                RANK,
                new SeededRandom(1, 0, "bench"),
                NONE,
                ScaleFormat.F32));
  }

  static LinearPassBench flexRound() {
    return new LinearPassBench(
        w -> new FlexRoundLinear(w, OUT, IN, SCHEME, steps(w), ScaleFormat.BF16));
  }

  static LinearPassBench autoRound() {
    return new LinearPassBench(w -> new AutoRoundLinear(w, OUT, IN, SCHEME, ScaleFormat.BF16));
  }

  private static Steps steps(float[] w) {
    return RoundToNearest.steps(w, OUT, IN, SCHEME, ScaleFormat.BF16, new MinMax(), null);
  }

  @Override
  public void run(Setting setting, JsonLine line) {
    float[] w = RandomArrays.uniform(OUT * IN, 1);
    float[] copy = new float[w.length];
    float[] gradient = RandomArrays.uniform(OUT * IN, 2);
    TrainableLinear linear = kind.apply(w);
    Workers one = Workers.single();
    Turns turns =
        new Turns()
            .add("copy", () -> System.arraycopy(w, 0, copy, 0, w.length))
            .add("forward", () -> linear.forward(one))
            .add("backward", () -> linear.backward(gradient, one))
            .add("step", () -> linear.step(1, 1e-6, one))
            .add(
                "pass",
                () -> {
                  linear.forward(one);
                  linear.backward(gradient, one);
                  linear.step(1, 1e-6, one);
                })
            .run(setting.seconds());
    double copied = turns.seconds("copy");
    line.put("out", OUT)
        .put("in", IN)
        .put("copy_gb_per_s", 2.0 * Float.BYTES * w.length / copied / 1e9)
        .put("seconds", turns.seconds("pass"))
        .put("forward_to_copy", turns.seconds("forward") / copied)
        .put("backward_to_copy", turns.seconds("backward") / copied)
        .put("step_to_copy", turns.seconds("step") / copied)
        .put("pass_to_copy", turns.seconds("pass") / copied);
  }

  private static final Matmul NONE =
      (Matmul)
          Proxy.newProxyInstance(
              Matmul.class.getClassLoader(),
              new Class<?>[] {Matmul.class},
              (proxy, method, arguments) -> method.getReturnType() == void.class ? null : "none");
}
