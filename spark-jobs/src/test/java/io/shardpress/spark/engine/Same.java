package io.shardpress.spark.engine;

import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Equality that goes into arrays, also those within records, which equals does not. */
final class Same {
  private Same() {}

  static boolean are(Object one, Object other) {
    if (one instanceof Record && other != null && one.getClass() == other.getClass()) {
      for (RecordComponent component : one.getClass().getRecordComponents()) {
        if (!are(get(one, component), get(other, component))) {
          return false;
        }
      }
      return true;
    }
    if (one instanceof List<?> list && other instanceof List<?> others) {
      Iterator<?> at = others.iterator();
      return list.size() == others.size()
          && list.stream().allMatch(element -> are(element, at.next()));
    }
    if (one instanceof Map<?, ?> map && other instanceof Map<?, ?> others) {
      return map.keySet().equals(others.keySet())
          && map.keySet().stream().allMatch(key -> are(map.get(key), others.get(key)));
    }
    if (one instanceof Optional<?> value && other instanceof Optional<?> otherValue) {
      return are(value.orElse(null), otherValue.orElse(null));
    }
    if (one instanceof Object[] array && other instanceof Object[] others) {
      return array.getClass() == others.getClass()
          && are(Arrays.asList(array), Arrays.asList(others));
    }
    return Objects.deepEquals(one, other);
  }

  private static Object get(Object record, RecordComponent component) {
    try {
      Method accessor = component.getAccessor();
      accessor.setAccessible(true);
      return accessor.invoke(record);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
