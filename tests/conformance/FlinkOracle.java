import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.apache.flink.api.common.state.KeyedStateStore;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.cep.configuration.SharedBufferCacheConfig;
import org.apache.flink.cep.nfa.NFA;
import org.apache.flink.cep.nfa.NFAState;
import org.apache.flink.cep.nfa.aftermatch.AfterMatchSkipStrategy;
import org.apache.flink.cep.nfa.compiler.NFACompiler;
import org.apache.flink.cep.nfa.sharedbuffer.SharedBuffer;
import org.apache.flink.cep.nfa.sharedbuffer.SharedBufferAccessor;
import org.apache.flink.cep.pattern.Pattern;
import org.apache.flink.cep.pattern.WithinType;
import org.apache.flink.cep.pattern.conditions.IterativeCondition;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/**
 * Flink CEP itself, as a filter: a case a line on standard input, {"matches": [...]} or {"refused": reason} a line on
 * standard output. An event is the text "id|type|name|x"; a condition is null or as in conditions.py.
 */
public class FlinkOracle {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Map<String, Object> answer = new HashMap<>();
            try {
                answer.put("matches", run(JSON.readTree(line)));
            } catch (Throwable refusal) {
                answer.put("refused", refusal.toString());
            }
            out.println(JSON.writeValueAsString(answer));
            out.flush();
        }
        System.exit(0); // a refused case leaves a timer of its buffer behind
    }

    /** Events of one time are processed after the time has advanced to it, as in CepOperator.onEventTime. */
    private static List<Map<String, List<String>>> run(JsonNode kase) throws Exception {
        AfterMatchSkipStrategy skip = skip(kase.get("after_match"));
        NFA<String> nfa = NFACompiler.compileFactory(pattern(kase, skip), false).createNFA();
        NFAState state = nfa.createInitialNFAState();
        SharedBuffer<String> buffer =
                new SharedBuffer<>(memory(), StringSerializer.INSTANCE, new SharedBufferCacheConfig());
        List<Map<String, List<String>>> matches = new ArrayList<>();
        long now = Long.MIN_VALUE;
        for (JsonNode event : kase.get("events")) {
            try (SharedBufferAccessor<String> access = buffer.getAccessor()) {
                long time = event.get(2).asLong();
                if (time != now) {
                    matches.addAll(nfa.advanceTime(access, state, time, skip).f0);
                    now = time;
                }
                String text = String.join("|", event.get(0).asText(), event.get(1).asText(), event.get(3).asText(),
                        event.get(4).asText());
                matches.addAll(nfa.process(access, state, text, time, skip, () -> 0L));
            }
        }
        try (SharedBufferAccessor<String> access = buffer.getAccessor()) {
            matches.addAll(nfa.advanceTime(access, state, 1L << 60, skip).f0);
        }
        buffer.releaseCacheStatisticsTimer();
        for (Map<String, List<String>> match : matches) {
            match.replaceAll((name, events) -> events.stream().map(e -> e.split("\\|")[0]).toList());
        }
        return matches;
    }

    private static AfterMatchSkipStrategy skip(JsonNode after) {
        switch (after.get(0).asText()) {
            case "no_skip": return AfterMatchSkipStrategy.noSkip();
            case "skip_past_last": return AfterMatchSkipStrategy.skipPastLastEvent();
            case "skip_to_next": return AfterMatchSkipStrategy.skipToNext();
            case "skip_to_first": return AfterMatchSkipStrategy.skipToFirst(after.get(1).asText());
            case "skip_to_last": return AfterMatchSkipStrategy.skipToLast(after.get(1).asText());
            default: throw new IllegalArgumentException(after.toString());
        }
    }

    private static Pattern<String, ?> pattern(JsonNode kase, AfterMatchSkipStrategy skip) {
        Pattern<String, String> pattern = null;
        Duration within = kase.get("within").isNull() ? null : Duration.ofMillis(kase.get("within").asLong());
        boolean gaps = kase.get("within_kind").asText().equals("previous_current");
        for (JsonNode step : kase.get("steps")) {
            pattern = contiguity(pattern, step, skip).where(new Takes(step));
            quantify(pattern, step, gaps ? within : null);
            if (within != null && gaps) {
                pattern = pattern.within(within, WithinType.PREVIOUS_AND_CURRENT);
            }
        }
        return within == null || gaps ? pattern : pattern.within(within);
    }

    private static Pattern<String, String> contiguity(
            Pattern<String, String> pattern, JsonNode step, AfterMatchSkipStrategy skip) {
        String name = step.get("name").asText();
        if (pattern == null) {
            return Pattern.<String>begin(name, skip);
        }
        switch (step.get("kind").asText()) {
            case "absent": return pattern.notFollowedBy(name);
            case "not_next": return pattern.notNext(name);
            default:
        }
        switch (step.get("next").asText()) {
            case "strict": return pattern.next(name);
            case "any": return pattern.followedByAny(name);
            default: return pattern.followedBy(name);
        }
    }

    private static void quantify(Pattern<String, String> pattern, JsonNode step, Duration gap) {
        JsonNode times = step.get("times");
        if (!times.isNull()) {
            int least = times.get(0).asInt();
            if (!times.get(1).isNull()) {
                pattern.times(least, times.get(1).asInt(), gap);
            } else {
                pattern.timesOrMore(Math.max(1, least), gap);
                if (least == 0) {
                    pattern.optional();
                }
            }
        }
        if (step.get("inside").asText().equals("consecutive")) {
            pattern.consecutive();
        } else if (step.get("inside").asText().equals("any")) {
            pattern.allowCombinations();
        }
        if (step.get("greedy").asBoolean()) {
            pattern.greedy();
        }
        if (step.get("optional").asBoolean()) {
            pattern.optional();
        }
        if (!step.get("until").isNull()) {
            pattern.until(new Holds(step.get("until")));
        }
    }

    /** The event is of one of the step's types and its condition holds. */
    static class Takes extends IterativeCondition<String> {
        private final Set<String> types = new HashSet<>();
        private final Holds where;

        Takes(JsonNode step) {
            step.get("types").forEach(type -> types.add(type.asText()));
            where = new Holds(step.get("where"));
        }

        @Override
        public boolean filter(String event, Context<String> context) throws Exception {
            return types.contains(event.split("\\|")[1]) && where.filter(event, context);
        }
    }

    /** A condition on the event and on what a step has taken. */
    static class Holds extends IterativeCondition<String> {
        private final List<String> condition = new ArrayList<>();
        private final List<Holds> all = new ArrayList<>();

        Holds(JsonNode condition) {
            for (JsonNode part : condition) {
                if (part.isArray()) {
                    all.add(new Holds(part));
                } else {
                    this.condition.add(part.asText());
                }
            }
        }

        @Override
        public boolean filter(String event, Context<String> context) throws Exception {
            for (Holds part : all) {
                if (!part.filter(event, context)) {
                    return false;
                }
            }
            if (condition.isEmpty() || condition.get(0).equals("all")) {
                return true;
            }
            int x = x(event);
            switch (condition.get(0)) {
                case "name": return condition.subList(1, condition.size()).contains(event.split("\\|")[2]);
                case "ge": return x >= operand(1);
                case "gt": return x > operand(1);
                case "eq": return x == operand(1);
                case "count_lt": return taken(context).size() < operand(2);
                case "count_eq": return taken(context).size() == operand(2);
                case "sum_lt": return sum(taken(context)) + x < operand(2);
                case "sum_eq": return sum(taken(context)) == operand(2);
                case "sum_ge": return sum(taken(context)) >= operand(2);
                case "gt_last": return gtLast(x, taken(context));
                case "same_x": return !taken(context).isEmpty() && x(taken(context).get(0)) == x;
                default: throw new IllegalArgumentException(condition.toString());
            }
        }

        private int operand(int place) {
            return Integer.parseInt(condition.get(place));
        }

        private List<String> taken(Context<String> context) throws Exception {
            List<String> events = new ArrayList<>();
            context.getEventsForPattern(condition.get(1)).forEach(events::add);
            return events;
        }

        private static boolean gtLast(int x, List<String> taken) {
            return !taken.isEmpty() && x > x(taken.get(taken.size() - 1));
        }

        private static int sum(List<String> events) {
            return events.stream().mapToInt(Holds::x).sum();
        }

        private static int x(String event) {
            return Integer.parseInt(event.split("\\|")[3]);
        }
    }

    /** Keyed state in memory: only maps are asked for. */
    private static KeyedStateStore memory() {
        return (KeyedStateStore) Proxy.newProxyInstance(FlinkOracle.class.getClassLoader(),
                new Class<?>[] {KeyedStateStore.class}, (proxy, method, arguments) -> map());
    }

    private static MapState<?, ?> map() {
        Map<Object, Object> values = new HashMap<>();
        return (MapState<?, ?>) Proxy.newProxyInstance(FlinkOracle.class.getClassLoader(),
                new Class<?>[] {MapState.class}, (proxy, method, arguments) -> {
                    switch (method.getName()) {
                        case "contains": return values.containsKey(arguments[0]);
                        case "entries": return values.entrySet();
                        case "keys": return values.keySet();
                        case "iterator": return values.entrySet().iterator();
                        default:
                    }
                    Class<?>[] types = method.getParameterCount() == 1 && !method.getName().equals("putAll")
                            ? new Class<?>[] {Object.class} : method.getParameterTypes();
                    try {
                        return Map.class.getMethod(method.getName(), types).invoke(values, arguments);
                    } catch (InvocationTargetException thrown) {
                        throw thrown.getCause();
                    }
                });
    }
}
