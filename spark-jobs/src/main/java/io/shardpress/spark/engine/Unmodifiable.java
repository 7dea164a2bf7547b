package io.shardpress.spark.engine;

import java.util.Collections;
import java.util.List;

/**
 * Tells the JDK's unmodifiable collections from others. Views of {@link Collections} count as such,
 * for who makes one of a record's component has made a copy under it.
 */
final class Unmodifiable {
  private static final String VIEWS = Collections.class.getName() + "$";

  // List.of, Set.copyOf, Stream.toList and the like.
  private static final String VALUES = List.of().getClass().getEnclosingClass().getName() + "$";

  private static final ClassValue<Boolean> KNOWN =
      new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
          String name = type.getName();
          return name.startsWith(VALUES)
              || name.startsWith(VIEWS + "Unmodifiable")
              || name.startsWith(VIEWS + "Empty")
              || name.startsWith(VIEWS + "Singleton");
        }
      };

  private Unmodifiable() {}

  static boolean is(Object collection) {
    return KNOWN.get(collection.getClass());
  }
}
