use super::Checked;
use super::fixture::*;
use crate::store::{
    AuthenticationOutcome, Change, Inadmissible, IssueOutcome, MAX_TOKENS, TokenKind,
};

cases![
    a_secret_opens_and_another_does_not,
    of_unused_secrets_the_newest_two_live,
    the_secret_last_used_and_the_newest_live,
    the_first_use_of_the_newest_ends_the_older,
    a_secret_of_another_client_does_not_open,
    a_token_lives_until_its_end,
    access_and_git_tokens_are_not_one_another,
    the_oldest_access_tokens_give_way,
    the_oldest_git_tokens_give_way,
    a_token_of_two_devices_is_an_error,
    disabling_ends_tokens_and_keeps_secrets,
    rejecting_ends_tokens_and_secrets,
    removing_ends_tokens_and_secrets,
    a_disabled_tenant_ends_nothing_but_stops_everything,
    a_git_token_is_for_a_device_aboard,
];

async fn a_secret_opens_and_another_does_not(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    let audit = bench.audit().await?;
    expect!(!bench.opens(1, 2, 1).await?, "a wrong secret opens");
    expect!(!bench.opens(2, 1, 1).await?, "an unknown client is known");
    expect_eq!(bench.audit().await?, audit);
    expect!(
        !bench.lives(TokenKind::Access, 1).await?,
        "a refusal made a token"
    );
    let outcome = bench
        .store
        .authenticate_client(authentication(1, 1, 1)?)
        .await?;
    expect_eq!(outcome, AuthenticationOutcome::Issued(device_id(1)?));
    expect!(
        bench.lives(TokenKind::Access, 1).await?,
        "the token is dead"
    );
    expect_eq!(bench.audit().await?.len(), audit.len() + 1);
    Ok(())
}

async fn of_unused_secrets_the_newest_two_live(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.again(1, 2).await?;
    bench.again(1, 3).await?;
    expect!(!bench.opens(1, 1, 1).await?, "the oldest of three lives");
    expect!(bench.opens(1, 2, 2).await?, "the second newest is dead");
    expect!(bench.opens(1, 3, 3).await?, "the newest is dead");
    Ok(())
}

async fn the_secret_last_used_and_the_newest_live(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    expect!(bench.opens(1, 1, 1).await?, "the first is dead");
    // Answers that the device never got: it goes on with the secret it has.
    for k in 2..=5 {
        bench.again(1, k).await?;
        expect!(bench.opens(1, 1, 10 + k).await?, "the one in use is dead");
    }
    expect!(!bench.opens(1, 4, 20).await?, "one between lives");
    expect!(bench.opens(1, 5, 21).await?, "the newest is dead");
    Ok(())
}

async fn the_first_use_of_the_newest_ends_the_older(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.again(1, 2).await?;
    expect!(bench.opens(1, 1, 1).await?, "the older is dead too early");
    expect!(bench.opens(1, 2, 2).await?, "the newest is dead");
    expect!(
        !bench.opens(1, 1, 3).await?,
        "the older outlived the newest's use"
    );
    expect!(bench.opens(1, 2, 4).await?, "the newest opens once only");
    Ok(())
}

async fn a_secret_of_another_client_does_not_open(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.aboard(2, 2).await?;
    expect!(
        !bench.opens(1, 2, 1).await?,
        "another client's secret opens"
    );
    expect!(bench.opens(2, 2, 2).await?, "its own does not");
    Ok(())
}

async fn a_token_lives_until_its_end(bench: Bench) -> Checked {
    let device = bench.aboard(1, 1).await?;
    bench.opens(1, 1, 1).await?;
    for kind in [TokenKind::Access, TokenKind::Git] {
        let token = hash(kind.as_str(), 1);
        let live = bench
            .store
            .device_by_token(kind, &token, at(HOUR - 1))
            .await?;
        expect_eq!(
            live.map(|live| (live.device, live.expires_at)),
            Some((device.clone(), at(HOUR)))
        );
        let dead = bench.store.device_by_token(kind, &token, at(HOUR)).await?;
        expect_eq!(dead, None);
    }
    Ok(())
}

async fn access_and_git_tokens_are_not_one_another(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.opens(1, 1, 1).await?;
    let (git, access) = (hash("git", 1), hash("access", 1));
    let found = bench
        .store
        .device_by_token(TokenKind::Access, &git, at(0))
        .await?;
    expect_eq!(found, None);
    let found = bench
        .store
        .device_by_token(TokenKind::Git, &access, at(0))
        .await?;
    expect_eq!(found, None);
    Ok(())
}

async fn the_oldest_access_tokens_give_way(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    let most = MAX_TOKENS as u32;
    for token in 0..=most {
        expect!(bench.opens(1, 1, token).await?, "the secret is dead");
    }
    expect!(
        !bench.lives(TokenKind::Access, 0).await?,
        "the oldest lives"
    );
    for token in 1..=most {
        expect!(
            bench.lives(TokenKind::Access, token).await?,
            "token {token} is dead"
        );
    }
    expect!(
        bench.lives(TokenKind::Git, 1).await?,
        "the other kind suffered"
    );
    Ok(())
}

async fn the_oldest_git_tokens_give_way(bench: Bench) -> Checked {
    bench.aboard(1, 100).await?;
    bench.aboard(2, 200).await?;
    let most = MAX_TOKENS as u32;
    for token in 1..=most {
        expect_eq!(bench.git_token(1, token).await?, IssueOutcome::Issued);
    }
    expect!(!bench.lives(TokenKind::Git, 100).await?, "the oldest lives");
    expect!(
        bench.lives(TokenKind::Git, 1).await?,
        "the second oldest is dead"
    );
    expect!(
        bench.lives(TokenKind::Git, most).await?,
        "the newest is dead"
    );
    expect!(
        bench.lives(TokenKind::Git, 200).await?,
        "another device suffered"
    );
    Ok(())
}

async fn a_token_of_two_devices_is_an_error(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    let audit = bench.audit().await?;
    let second = bench.store.create_or_adopt(provision(2, 1)?).await;
    expect!(second.is_err(), "one token opens two devices: {second:?}");
    expect_eq!(bench.device(2).await?, None);
    expect_eq!(bench.audit().await?, audit);
    expect_eq!(bench.store.outbox(0, 10).await?.len(), 1);
    Ok(())
}

async fn disabling_ends_tokens_and_keeps_secrets(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.opens(1, 1, 1).await?;
    bench.change(1, Change::Disable).await?;
    expect!(
        !bench.opens(1, 1, 2).await?,
        "a disabled client authenticates"
    );
    bench.change(1, Change::Enable).await?;
    for kind in [TokenKind::Access, TokenKind::Git] {
        expect!(!bench.lives(kind, 1).await?, "a token came back to life");
    }
    expect!(bench.opens(1, 1, 3).await?, "the secret is gone");
    Ok(())
}

async fn rejecting_ends_tokens_and_secrets(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.opens(1, 1, 1).await?;
    bench.change(1, Change::Reject).await?;
    expect!(
        !bench.opens(1, 1, 2).await?,
        "a rejected client authenticates"
    );
    bench.store.register(registration(new(1)?)).await?;
    bench.aboard(1, 2).await?;
    expect!(
        !bench.lives(TokenKind::Access, 1).await?,
        "a token came back to life"
    );
    expect!(!bench.opens(1, 1, 3).await?, "a secret came back to life");
    expect!(bench.opens(1, 2, 4).await?, "the new secret is dead");
    Ok(())
}

async fn removing_ends_tokens_and_secrets(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.opens(1, 1, 1).await?;
    bench.change(1, REMOVE).await?;
    expect!(
        !bench.opens(1, 1, 2).await?,
        "a removed client authenticates"
    );
    bench.register(1).await?;
    bench.aboard(1, 2).await?;
    expect!(
        !bench.lives(TokenKind::Access, 1).await?,
        "a token came back to life"
    );
    expect!(!bench.opens(1, 1, 3).await?, "a secret came back to life");
    Ok(())
}

async fn a_disabled_tenant_ends_nothing_but_stops_everything(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.opens(1, 1, 1).await?;
    bench.put_tenant("default", false).await?;
    expect!(!bench.lives(TokenKind::Access, 1).await?, "a token opens");
    expect!(!bench.opens(1, 1, 2).await?, "a client authenticates");
    let outcome = bench.git_token(1, 2).await?;
    expect_eq!(outcome, IssueOutcome::NotAdmissible(Inadmissible::Tenant));
    bench.put_tenant("default", true).await?;
    expect!(bench.lives(TokenKind::Access, 1).await?, "a token ended");
    expect!(bench.opens(1, 1, 3).await?, "a secret ended");
    Ok(())
}

async fn a_git_token_is_for_a_device_aboard(bench: Bench) -> Checked {
    let outcome = bench.git_token(1, 1).await?;
    expect_eq!(outcome, IssueOutcome::NotAdmissible(Inadmissible::Removed));
    bench.register(1).await?;
    let outcome = bench.git_token(1, 1).await?;
    expect_eq!(
        outcome,
        IssueOutcome::NotAdmissible(Inadmissible::NotAboard)
    );
    bench.aboard(1, 2).await?;
    bench.change(1, Change::Disable).await?;
    let outcome = bench.git_token(1, 1).await?;
    expect_eq!(outcome, IssueOutcome::NotAdmissible(Inadmissible::Disabled));
    bench.change(1, Change::Enable).await?;
    expect_eq!(bench.git_token(1, 1).await?, IssueOutcome::Issued);
    expect!(bench.lives(TokenKind::Git, 1).await?, "the token is dead");
    Ok(())
}
