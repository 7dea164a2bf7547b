package io.shardpress.schemas.model;

import java.util.List;

/**
 * A tensor that a model must have.
 *
 * @param shape as config.json makes it
 * @param configKeys the keys of config.json that decide the shape
 */
public record ExpectedTensor(String name, List<Long> shape, String configKeys) {
  public ExpectedTensor {
    shape = List.copyOf(shape);
  }
}
