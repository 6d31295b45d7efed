#!/usr/bin/env escript
%% The peer table's work in Erlang/OTP: `escript peers.escript SCALE [QUESTION …]` prints a line per
%% question. Compiled, not interpreted; one process per actor; times are wall time of this program.
-module(peers).
-mode(compile).
-export([init/1, start_crasher/1]).

main([Scale | Asked]) ->
    logger:set_primary_config(level, none),
    Full = Scale =:= "full",
    [answer(What, Full) || What <- questions(), Asked =:= [] orelse lists:member(What, Asked)],
    halt(0).

questions() -> ["ring", "pingpong", "fanout", "spawn", "bytes", "oneway", "events", "crash"].

answer("ring", Full) -> report(ring, ring(1000, pick(Full, 2000000, 2000)));
answer("pingpong", Full) -> report(pingpong, ring(2, pick(Full, 1000000, 2000)));
answer("fanout", Full) -> report(fanout, fanout(1000, pick(Full, 1000, 2)));
answer("spawn", Full) -> report(spawn, element(1, spawning(pick(Full, 100000, 100))));
answer("bytes", Full) -> report(bytes, element(2, spawning(pick(Full, 100000, 100))));
answer("oneway", Full) -> report(oneway, oneway(pick(Full, 1000000, 2000)));
answer("events", Full) -> report(events, events(pick(Full, 10000, 100), pick(Full, 20, 1)));
answer("crash", Full) -> report(crash, crashes(pick(Full, 2000, 20))).

pick(true, Full, _) -> Full;
pick(false, _, Tiny) -> Tiny.

report(What, Value) -> io:format("~s ~.3f~n", [What, float(Value)]).

timed(Work) ->
    Start = erlang:monotonic_time(nanosecond),
    Work(),
    (erlang:monotonic_time(nanosecond) - Start) / 1.0e9.

%% A message goes round until its hops are used up.
ring(Size, Hops) ->
    Main = self(),
    Last = spawn(fun() -> receive {next, Next} -> relay(Next, Main) end end),
    First = lists:foldl(
        fun(_, Next) -> spawn(fun() -> relay(Next, Main) end) end, Last, lists:seq(2, Size)),
    Last ! {next, First},
    Hops / timed(fun() -> First ! {hop, Hops}, receive arrived -> ok end end).

relay(Next, Main) ->
    receive
        {hop, 0} -> Main ! arrived, relay(Next, Main);
        {hop, Left} -> Next ! {hop, Left - 1}, relay(Next, Main)
    end.

fanout(Size, Rounds) ->
    Receivers = [spawn(fun() -> sink(0) end) || _ <- lists:seq(1, Size)],
    Seconds = timed(fun() ->
        [R ! {note, N} || N <- lists:seq(1, Rounds), R <- Receivers],
        synced(Receivers)
    end),
    Size * Rounds / Seconds.

%% Maps of 6+5 fields from one process to another, which the schedulers keep apart when both are busy.
oneway(Count) ->
    Receiver = spawn(fun() -> summing(0) end),
    Inner = #{lat => 0, code => l7ok, addr => <<"10.0.0.21">>, port => 8080, up => true},
    Outer = #{to => Receiver, from => self(), seq => 0, ts => 0, type => probe, p => Inner},
    Seconds = timed(fun() ->
        [Receiver ! Outer#{seq := N, ts := N, p := Inner#{lat := N}} || N <- lists:seq(1, Count)],
        Receiver ! {sum, self()},
        Expected = Count * (Count + 1) div 2,
        receive {sum, Expected} -> ok end
    end),
    Count / Seconds.

summing(Sum) ->
    receive
        #{p := #{lat := Lat}} -> summing(Sum + Lat);
        {sum, From} -> From ! {sum, Sum}
    end.

sink(Seen) ->
    receive
        {note, _} -> sink(Seen + 1);
        {sync, From} -> From ! synced, sink(Seen)
    end.

synced(Actors) ->
    [A ! {sync, self()} || A <- Actors],
    [receive synced -> ok end || _ <- Actors],
    ok.

spawning(Count) ->
    erlang:garbage_collect(),
    Before = erlang:memory(processes),
    Self = self(),
    Seconds = timed(fun() ->
        put(all, [spawn(fun() -> instance(provisioning, fresh(), undefined) end)
                  || _ <- lists:seq(1, Count)]),
        hd(get(all)) ! {sync, Self},
        receive synced -> ok end
    end),
    synced(get(all)),
    Bytes = (erlang:memory(processes) - Before) / Count,
    [exit(P, kill) || P <- erase(all)],
    {Count / Seconds, Bytes}.

fresh() ->
    #{address => undefined, provider_id => undefined, weight => 1, passed => 0, failed => 0,
      streak => 0, changes => 0, born_at => 0, last_ok_at => 0, last_fail_at => 0, code => none}.

%% The health of an instance as a receive loop: the cycle ok, fail, fail, fail, ok changes it twice.
instance(State, Data, Timer) ->
    receive
        {sync, From} -> From ! synced, instance(State, Data, Timer);
        {ok, At} -> passed(State, Data#{passed := maps:get(passed, Data) + 1, streak := 0,
                                        last_ok_at := At, code := l7ok}, Timer);
        {fail, At} -> failed(State, Data#{failed := maps:get(failed, Data) + 1,
                                          streak := maps:get(streak, Data) + 1,
                                          last_fail_at := At, code := l4tout}, Timer);
        {timeout, Timer, silence} -> instance(degraded, Data, undefined);
        {timeout, _, _} -> instance(State, Data, Timer)
    end.

passed(healthy, Data, Timer) -> instance(healthy, Data, Timer);
passed(_, Data, Timer) -> moved(healthy, Data, Timer).

failed(healthy, #{streak := Streak} = Data, Timer) when Streak >= 3 -> moved(degraded, Data, Timer);
failed(State, Data, Timer) -> instance(State, Data, Timer).

moved(State, #{changes := Changes} = Data, Timer) ->
    Timer =:= undefined orelse erlang:cancel_timer(Timer),
    Next = erlang:start_timer(600000, self(), silence),
    instance(State, Data#{changes := Changes + 1}, Next).

events(Count, Cycles) ->
    All = [spawn(fun() -> instance(provisioning, fresh(), undefined) end)
           || _ <- lists:seq(1, Count)],
    Cycle = [ok, fail, fail, fail, ok],
    Seconds = timed(fun() ->
        [P ! {Event, N} || N <- lists:seq(1, Cycles), Event <- Cycle, P <- All],
        synced(All)
    end),
    [exit(P, kill) || P <- All],
    Count * Cycles * length(Cycle) / Seconds.

%% Crash to the first word of the successor, under a real supervisor; median in microseconds.
crashes(Count) ->
    process_flag(trap_exit, true),
    {ok, _} = supervisor:start_link(?MODULE, self()),
    First = receive {up, Pid, _} -> Pid end,
    {Times, _} = lists:mapfoldl(fun(_, Child) ->
        Child ! crash,
        Crashed = receive {crashing, At} -> At end,
        receive {up, Next, Up} -> {(Up - Crashed) / 1000, Next} end
    end, First, lists:seq(1, Count)),
    lists:nth(Count div 2, lists:sort(Times)).

init(Main) ->
    Child = #{id => crasher, start => {?MODULE, start_crasher, [Main]}},
    {ok, {#{strategy => one_for_one, intensity => 1000000, period => 1}, [Child]}}.

start_crasher(Main) ->
    {ok, proc_lib:spawn_link(fun() ->
        Main ! {up, self(), erlang:monotonic_time(nanosecond)},
        receive
            crash ->
                Main ! {crashing, erlang:monotonic_time(nanosecond)},
                exit(crashed)
        end
    end)}.
