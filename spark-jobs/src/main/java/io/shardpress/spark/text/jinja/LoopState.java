package io.shardpress.spark.text.jinja;

import java.util.ArrayList;
import java.util.List;

/** The name loop inside of one. */
final class LoopState {
  private final List<Object> elements;
  private final int depth;
  private final Callable recursion;
  private int index;
  private Object changed = LoopState.class;

  /**
   * @param depth of loops in themselves, from 0
   * @param recursion carries the loop out on other elements; null where it does not say recursive
   */
  LoopState(List<Object> elements, int depth, Callable recursion) {
    this.elements = elements;
    this.depth = depth;
    this.recursion = recursion;
  }

  void at(int place) {
    index = place;
  }

  Object get(String name) {
    int count = elements.size();
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) (count - index);
      case "revindex0" -> (long) (count - index - 1);
      case "first" -> index == 0;
      case "last" -> index == count - 1;
      case "length" -> (long) count;
      case "depth" -> depth + 1L;
      case "depth0" -> (long) depth;
      case "previtem" -> index == 0 ? new Undefined("loop.previtem") : elements.get(index - 1);
      case "nextitem" ->
          index == count - 1 ? new Undefined("loop.nextitem") : elements.get(index + 1);
      case "cycle" -> (Callable) this::cycle;
      case "changed" -> (Callable) this::changed;
      default -> new Undefined("loop." + name);
    };
  }

  Callable recursion() {
    if (recursion == null) {
      throw new JinjaException("loop is called, and its for does not say recursive");
    }
    return recursion;
  }

  int depth() {
    return depth;
  }

  private Object cycle(Arguments arguments) {
    if (arguments.positional().isEmpty()) {
      throw new JinjaException("loop.cycle has nothing to cycle through");
    }
    return arguments.positional().get(index % arguments.positional().size());
  }

  private Object changed(Arguments arguments) {
    boolean other = !arguments.positional().equals(changed);
    changed = new ArrayList<>(arguments.positional());
    return other;
  }
}
